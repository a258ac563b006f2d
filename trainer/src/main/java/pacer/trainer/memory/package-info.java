/** What a training holds in memory, known before anything is allocated, and what would make it fit. */
package pacer.trainer.memory;
