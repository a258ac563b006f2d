package pacer.trainer.eval;

/** A model's logits are NaN or infinite: a text drawn from them would look like one. */
public final class NoNumbersException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoNumbersException() {
        super("the model's logits are not finite, so there is nothing to draw from: its training has diverged; take an"
                + " earlier checkpoint, or train with a lower optimizer.learningRate");
    }
}
