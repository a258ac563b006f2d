package pacer.trainer.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import java.util.List;

/**
 * What one process measured of a {@link BenchCase}; the same JSON from ours and from {@code pytorch_step.py}.
 *
 * @param engine {@code pacer}, {@code PyTorch 2.15.0}
 * @param runtime the language's
 * @param device one line
 * @param settings what was chosen on that side
 * @param parameters weights and biases
 * @param tokens a step
 * @param warmupSteps before the timed ones
 * @param steady whether steps had stopped getting faster when timing began
 * @param steps timed
 * @param losses of the first steps, mean nats a token
 * @param millis wall time of a step
 * @param cpuMillis CPU time of the process a timed step, all threads
 * @param tokensPerSecond at the median
 * @param firstStepEpochMillis when the first step was done, by the machine's clock
 * @param peakBytes most memory resident at once; null where the system does not tell
 */
public record StepResult(
        String engine,
        String runtime,
        String device,
        List<String> settings,
        int threads,
        long parameters,
        int tokens,
        int warmupSteps,
        boolean steady,
        int steps,
        List<Double> losses,
        Spread millis,
        double cpuMillis,
        double tokensPerSecond,
        double firstStepEpochMillis,
        Long peakBytes) {

    public StepResult {
        settings = List.copyOf(settings);
        losses = List.copyOf(losses);
    }

    /**
     * The result in a line of JSON.
     *
     * @throws IllegalArgumentException saying what is missing, unknown, of another type or no possible measurement
     */
    public static StepResult parse(String json) {
        StepResult result;
        try {
            result = BenchJson.MAPPER.readValue(json, StepResult.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("no result of a step: " + place(e) + e.getOriginalMessage(), e);
        }
        require(result.steps > 0 && result.tokens > 0, "nothing was timed");
        require(result.millis.p10() > 0 && Double.isFinite(result.millis.p90()), "step time " + result.millis);
        // the system counts CPU time in hundredths of a second: a few steps of a toy take none
        require(result.cpuMillis >= 0 && result.tokensPerSecond > 0, "CPU time is below 0, or speed not above it");
        require(result.losses.stream().allMatch(Double::isFinite), "a loss is not finite: " + result.losses);
        return result;
    }

    private static String place(JsonProcessingException e) {
        return e instanceof JsonMappingException m && !m.getPath().isEmpty()
                ? m.getPath().getLast().getFieldName() + ": "
                : "";
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException("no possible result of a step: " + otherwise);
        }
    }

    /** One line. */
    public String json() {
        try {
            return BenchJson.MAPPER.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
