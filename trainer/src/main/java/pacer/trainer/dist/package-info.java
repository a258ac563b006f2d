/** What ranks do together: sums, gathers and broadcasts in a fixed order, over sockets between CPU processes. */
package pacer.trainer.dist;
