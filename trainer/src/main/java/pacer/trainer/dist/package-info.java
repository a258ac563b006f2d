/**
 * What the ranks of a run do together: sums, gathers and broadcasts that give the same bits whatever the timing, and the way the
 * ranks find each other.
 */
package pacer.trainer.dist;
