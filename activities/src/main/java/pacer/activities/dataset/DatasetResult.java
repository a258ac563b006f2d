package pacer.activities.dataset;

import pacer.activities.run.StageResult;
import pacer.trainer.spec.DatasetSpec;

/**
 * A dataset that is ready.
 *
 * @param hash names its folder in the cache: hash of everything that determines its bytes
 * @param rawSha256 digest of the raw file
 * @param vocabulary number of different tokens
 * @param shards number of shard files
 * @param reused whether it was there already
 */
public record DatasetResult(
        String hash,
        String source,
        String rawSha256,
        long rawBytes,
        DatasetSpec.Tokenizer tokenizer,
        int vocabulary,
        long trainTokens,
        long validationTokens,
        int shards,
        boolean reused)
        implements StageResult {

    @Override
    public String summary() {
        return "%,d training and %,d validation tokens, vocabulary %,d%s"
                .formatted(trainTokens, validationTokens, vocabulary, reused ? ", there already" : "");
    }
}
