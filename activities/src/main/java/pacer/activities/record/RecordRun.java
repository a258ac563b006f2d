package pacer.activities.record;

import pacer.activities.run.Environment;

/**
 * One run of a record attempt, with what proves it.
 *
 * @param run its id
 * @param validationLoss nats a token, of its evaluation
 * @param validationTokens that was measured on
 * @param steps optimizer steps
 * @param stepSeconds time of all steps: training without starts and compilation
 * @param trainSeconds of the whole Train stage, start, compilation, validations and checkpoints included
 * @param spentSeconds of all its stages
 * @param machine that it was trained on, with the code's commit
 * @param dataset hash of everything that determines its bytes
 * @param raw SHA-256 of the dataset's raw file; null where there is none
 * @param log SHA-256 of its {@code events.jsonl}
 */
public record RecordRun(
        String run,
        long seed,
        String specHash,
        double validationLoss,
        long validationTokens,
        int steps,
        double stepSeconds,
        double trainSeconds,
        double spentSeconds,
        double tokensPerSecond,
        Environment machine,
        String dataset,
        String raw,
        String log) {}
