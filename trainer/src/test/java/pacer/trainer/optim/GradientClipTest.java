package pacer.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class GradientClipTest {

    @Test
    void leavesGradientsBelowTheBound() {
        assertThat(GradientClip.factor(0, 1)).isEqualTo(1);
        assertThat(GradientClip.factor(0.5, 1)).isEqualTo(1);
        assertThat(GradientClip.factor(1 - 1e-6, 1)).isEqualTo(1);
    }

    /** torch.nn.utils.clip_grad_norm_ divides by the norm plus 1e-6, so even a norm at the bound is scaled a little. */
    @Test
    void bringsLargerGradientsToTheBoundAsPyTorchDoes() {
        assertThat(GradientClip.factor(4, 1)).isCloseTo(0.24999994f, within(1e-8f));
        assertThat(GradientClip.factor(1e-3, 1e-4)).isCloseTo(0.0999001f, within(1e-8f));
        assertThat(GradientClip.factor(1, 1)).isLessThan(1).isGreaterThan(0.999998f);
    }

    @Test
    void aBoundOfZeroClipsNothing() {
        assertThat(GradientClip.factor(1e9, 0)).isEqualTo(1);
    }

    @Test
    void doesNotHideWhatIsNotFinite() {
        assertThat(GradientClip.factor(Double.NaN, 1)).isNaN();
        assertThat(GradientClip.factor(Double.POSITIVE_INFINITY, 1)).isZero();
    }
}
