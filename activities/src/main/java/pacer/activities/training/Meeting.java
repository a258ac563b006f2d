package pacer.activities.training;

/**
 * Rank 0 listens: told by its host, handed on to the others. The secret that they prove to each other is none of it: that goes through the store.
 *
 * @param gathering of the {@link Ensemble}
 * @param rendezvous {@code address:port} of rank 0
 * @param epoch of the attempt
 * @param spec resolved, as YAML: what all ranks train
 * @param lastStep where training ends; null: where the spec says
 */
public record Meeting(String gathering, String rendezvous, long epoch, String spec, Integer lastStep) {}
