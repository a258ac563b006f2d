package pacer.activities.sweep;

import java.util.ArrayList;
import java.util.List;

/**
 * A point of a curve.
 *
 * @param loss nats a token
 */
public record Mark(int step, double loss) {

    /**
     * At most about {@code most} of {@code all}: each k-th and the last, so that curves of equal length keep the same steps.
     */
    static List<Mark> some(List<Mark> all, int most) {
        int each = Math.max(1, (all.size() + most - 1) / most);
        List<Mark> kept = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            if ((i + 1) % each == 0 || i == all.size() - 1) {
                kept.add(all.get(i));
            }
        }
        return kept;
    }
}
