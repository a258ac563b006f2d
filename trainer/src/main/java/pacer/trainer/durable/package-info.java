/**
 * What holds after a crash: files that are there whole or not at all, locks that a dead holder lets go of, processes known
 * again by whoever comes after the one that started them, and digests that prove what a file holds. Every room of pacer that
 * writes to a disk builds on this one; it knows none of them.
 */
package pacer.trainer.durable;
