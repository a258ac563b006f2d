package pacer.trainer.ops.reference;

/** The standard normal distribution in double precision. */
final class Normal {

    private Normal() {}

    /** φ(x), the density. */
    static double density(double x) {
        return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }

    /** Φ(x), the probability of a value below x; relative error below 1e-13 in both tails. */
    static double cumulative(double x) {
        if (x > 0) {
            return 1 - cumulative(-x);
        }
        return x > -3 ? 0.5 - density(x) * series(-x) : density(x) / fraction(-x);
    }

    /** x + x³/3 + x⁵/(3·5) + …, the integral from 0 to x over the density at x; Abramowitz, Stegun 26.2.11. */
    private static double series(double x) {
        double sum = 0;
        double term = x;
        for (int n = 3; sum + term != sum; n += 2) {
            sum += term;
            term *= x * x / n;
        }
        return sum;
    }

    /** x + 1/(x + 2/(x + 3/(x + …))), the density over the tail beyond x; Abramowitz, Stegun 26.2.14. */
    private static double fraction(double x) {
        double value = x;
        for (int n = 100; n >= 1; n--) {
            value = x + n / value;
        }
        return value;
    }
}
