package pacer.activities.publishing;

import java.util.List;
import pacer.activities.run.StageResult;
import pacer.activities.run.Verdict;

/** What a run came to; {@code files} are relative to its folder. */
public record PublishingResult(Verdict verdict, List<String> files) implements StageResult {

    @Override
    public String summary() {
        return verdict.text();
    }
}
