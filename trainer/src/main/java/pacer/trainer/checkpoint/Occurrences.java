package pacer.trainer.checkpoint;

import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import pacer.trainer.event.TrainingEvent;

/**
 * What counts of a run's events: of each kind and step the first, because training is deterministic and what comes again
 * after a resume is a repetition. Samples, notices and failures also differ by their text, as a step may have several; each
 * launch is one of its own.
 */
public final class Occurrences {
    private record Key(Class<?> kind, int step, String text) {}

    private final Map<Class<?>, BitSet> steps = new HashMap<>(); // a bit a step: there may be millions
    private final Set<Key> texts = new HashSet<>();

    /** Whether {@code event}, the next one, counts. */
    public boolean counts(TrainingEvent event) {
        return switch (event) {
            case TrainingEvent.Sampled sampled -> isNew(event, sampled.prompt() + '\n' + sampled.text());
            case TrainingEvent.Notice notice -> isNew(event, notice.text());
            case TrainingEvent.Failed failed -> isNew(event, failed.reason());
            case TrainingEvent.Started started -> isNew(event, started.time().toString());
            default -> {
                BitSet seen = steps.computeIfAbsent(event.getClass(), kind -> new BitSet());
                boolean isNew = !seen.get(event.step());
                seen.set(event.step());
                yield isNew;
            }
        };
    }

    private boolean isNew(TrainingEvent event, String text) {
        return texts.add(new Key(event.getClass(), event.step(), text));
    }
}
