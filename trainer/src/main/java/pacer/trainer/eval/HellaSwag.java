package pacer.trainer.eval;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import pacer.trainer.data.BadDataException;
import pacer.trainer.dist.Collectives;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.model.Continuations;
import pacer.trainer.model.Replica;
import pacer.trainer.text.Tokenizer;

/**
 * HellaSwag as llm.c and build-nanogpt measure it: a model chooses the ending whose tokens have the least mean loss behind the context.
 * Contexts are taken through the model once, several of like length at once; examples are divided over ranks and lanes.
 */
public final class HellaSwag {
    /** Contexts that a lane takes at once: their endings, a hundred tokens or two, make products of a useful size. */
    private static final int TOGETHER = 8;

    private final List<List<HellaSwagExample>> batches = new ArrayList<>();
    private final int count;
    private final int longest;

    private HellaSwag(List<HellaSwagExample> examples) {
        count = examples.size();
        longest = examples.stream().mapToInt(HellaSwagExample::length).max().orElse(1);
        List<HellaSwagExample> byLength = new ArrayList<>(examples);
        byLength.sort(Comparator.comparingInt(HellaSwagExample::length).thenComparingInt(HellaSwagExample::index));
        List<HellaSwagExample> batch = new ArrayList<>();
        for (HellaSwagExample example : byLength) {
            batch.add(example);
            if (batch.size() > TOGETHER || room(batch) > longest) {
                batches.add(List.copyOf(batch.subList(0, batch.size() - 1)));
                batch.subList(0, batch.size() - 1).clear();
            }
        }
        batches.add(List.copyOf(batch));
    }

    /** Tokens that each of a batch needs room for: the longest context of any with the longest ending of any. */
    private static int room(List<HellaSwagExample> batch) {
        int context = 0;
        int ending = 0;
        for (HellaSwagExample example : batch) {
            context = Math.max(context, example.context().length - 1);
            ending = Math.max(ending, example.length() - (example.context().length - 1));
        }
        return context + ending;
    }

    /**
     * Reads the first {@code count} examples of a file.
     *
     * @param window tokens that the model sees
     * @throws BadDataException naming file, line and what is wrong there
     */
    public static HellaSwag read(Path file, int count, Tokenizer tokenizer, int window) throws IOException {
        return new HellaSwag(HellaSwagExample.read(file, count, tokenizer, window));
    }

    /** Examples there are. */
    public int count() {
        return count;
    }

    /** Contexts that a lane takes at once, and tokens of the longest with its ending: what memory goes by. */
    public record Room(int sequences, int tokens) {
        /** Enough for all examples of HellaSwag in GPT-2's tokens, whose longest takes 177, in a window of {@code length}. */
        public static Room most(int length) {
            return new Room(TOGETHER, Math.min(length, 192));
        }
    }

    /** An ending of so many tokens: their loss behind the context, nats in all. */
    public record Ending(double loss, int tokens) {
        double mean() {
            return loss / tokens;
        }
    }

    /**
     * What a model chose.
     *
     * @param index which example, from 0
     * @param endings how each was judged
     * @param label which one is right
     */
    public record Answer(int index, List<Ending> endings, int label) {

        /** The ending of the least mean loss a token, llm.c's and others' "acc_norm"; -1 where a loss is no number. */
        public int choice() {
            int best = 0;
            for (int i = 0; i < endings.size(); i++) {
                if (!Double.isFinite(endings.get(i).loss)) {
                    return -1;
                }
                if (endings.get(i).mean() < endings.get(best).mean()) {
                    best = i;
                }
            }
            return best;
        }
    }

    /** Hears each answer of this rank, from one thread at a time. */
    @FunctionalInterface
    public interface Listener {
        void answered(Answer answer);
    }

    /**
     * Asks the model all examples, unless {@code stop} ends it before.
     *
     * @param stop asked between batches, equally often on every rank; must answer all ranks the same
     * @param measured hears after each round how many examples all ranks have answered
     * @return how many answers are right on all ranks, or nothing when it was given up
     */
    public Optional<Integer> measure(
            Replica replica, Collectives ranks, BooleanSupplier stop, LongConsumer measured, Listener listener) {
        List<Continuations> lanes = replica.continuations(TOGETHER, longest);
        int together = ranks.size() * lanes.size();
        int[] right = new int[lanes.size()];
        long done = 0;
        for (int round = 0; round < batches.size(); round += together) {
            if (round > 0 && stop.getAsBoolean()) {
                return Optional.empty();
            }
            int first = round + ranks.rank() * lanes.size();
            replica.eachLane(lane -> {
                if (first + lane < batches.size()) {
                    right[lane] += answer(lanes.get(lane), batches.get(first + lane), listener);
                }
            });
            for (int batch = round; batch < Math.min(batches.size(), round + together); batch++) {
                done += batches.get(batch).size();
            }
            measured.accept(done);
        }
        int sum = 0;
        for (int each : right) {
            sum += each;
        }
        return Optional.of((int) ranks.allReduce(sum));
    }

    /** Writes answers in the order of examples, one JSON object a line, for whoever compares them with another implementation's. */
    public static void write(List<Answer> answers, Path file) throws IOException {
        StringBuilder lines = new StringBuilder();
        answers.stream().sorted(Comparator.comparingInt(Answer::index)).forEach(answer -> lines.append(
                        "{\"index\":%d,\"losses\":%s,\"tokens\":%s,\"choice\":%d,\"label\":%d}"
                                .formatted(
                                        answer.index,
                                        answer.endings.stream()
                                                .map(ending -> Double.isFinite(ending.loss)
                                                        ? Double.toString(ending.loss)
                                                        : "null")
                                                .toList(),
                                        answer.endings.stream()
                                                .map(Ending::tokens)
                                                .toList(),
                                        answer.choice(),
                                        answer.label))
                .append('\n'));
        DurableFiles.write(file, lines.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** How many answers are right. */
    private static int answer(Continuations model, List<HellaSwagExample> batch, Listener listener) {
        // a lane of a training may have room for fewer than asked for
        int right = 0;
        for (int from = 0; from < batch.size(); from += model.sequences()) {
            List<HellaSwagExample> some = batch.subList(from, Math.min(batch.size(), from + model.sequences()));
            model.begin(some.stream().map(HellaSwagExample::context).toArray(int[][]::new));
            double[][] losses = new double[HellaSwagExample.ENDINGS][];
            for (int ending = 0; ending < losses.length; ending++) {
                int which = ending;
                losses[ending] = model.losses(
                        some.stream().map(example -> example.endings()[which]).toArray(int[][]::new));
            }
            for (int i = 0; i < some.size(); i++) {
                Answer answer = answer(some.get(i), i, losses);
                right += answer.choice() == answer.label() ? 1 : 0;
                synchronized (listener) {
                    listener.answered(answer);
                }
            }
        }
        return right;
    }

    private static Answer answer(HellaSwagExample example, int place, double[][] losses) {
        List<Ending> endings = new ArrayList<>();
        for (int ending = 0; ending < losses.length; ending++) {
            endings.add(new Ending(losses[ending][place], example.endings()[ending].length));
        }
        return new Answer(example.index(), List.copyOf(endings), example.label());
    }
}
