package pacer.activities.reproduction;

import java.time.Instant;

/**
 * What a reproduction came to, beside those before it.
 *
 * @param run the run that was made for it
 * @param passed whether its validation loss is within what the preset expects; null where that expects nothing
 * @param validationLoss nats a token
 * @param expected at most this; null where nothing is expected
 * @param tokensPerSecond of the steps alone
 * @param earlier how many finished runs of the same settings there were before
 * @param drift of the validation loss from the one before; null for the first
 * @param sameSince how many of those before, counted back from it, had the same loss to the last bit
 * @param changedAt commit of the first run with this loss, where an earlier one had another; null where none had, or it is not known
 * @param changedOn when that run was made; null likewise
 * @param speed its tokens/s over the median of those before on the same kind of machine; null where they are fewer than three
 * @param text all of it in a sentence
 */
public record Reproduction(
        String run,
        Boolean passed,
        double validationLoss,
        Double expected,
        double tokensPerSecond,
        int earlier,
        Double drift,
        int sameSince,
        String changedAt,
        Instant changedOn,
        Double speed,
        String text) {}
