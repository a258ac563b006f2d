package pacer.trainer.optim;

/** Clipping by global norm, as {@code torch.nn.utils.clip_grad_norm_} does it (Pascanu, Mikolov, Bengio 2013). */
public final class GradientClip {

    private GradientClip() {}

    /**
     * What gradients are multiplied by so that their norm is at most {@code maxNorm}: maxNorm/(norm + 1e-6), never more
     * than 1. NaN for a NaN norm and 0 for an infinite one: whoever updates must have looked at the norm before.
     *
     * @param norm global norm of all gradients, before clipping
     * @param maxNorm the bound; 0 clips nothing
     */
    public static float factor(double norm, double maxNorm) {
        return maxNorm == 0 ? 1f : (float) Math.min(1, maxNorm / (norm + 1e-6));
    }
}
