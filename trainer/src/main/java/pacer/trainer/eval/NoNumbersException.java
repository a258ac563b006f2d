package pacer.trainer.eval;

/** A model's logits are NaN: no token is likelier than another, and a text drawn from them would look like one. */
public final class NoNumbersException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoNumbersException() {
        super(
                "the model's logits are not numbers (NaN), so there is nothing to draw from: its training has diverged; take an"
                        + " earlier checkpoint, or train with a lower optimizer.learningRate");
    }
}
