/**
 * What a run leaves on disk and finds again: safetensors files, checkpoint folders that are whole or not there, the fence that
 * keeps a zombie from writing, the event file, and Hugging Face's GPT-2 folders.
 */
package pacer.trainer.checkpoint;
