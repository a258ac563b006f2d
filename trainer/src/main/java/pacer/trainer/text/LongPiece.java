package pacer.trainer.text;

import java.util.Arrays;

/**
 * A piece too long for {@link Gpt2Encoder} to look for the best pair anew after each merge: the same merges in a time
 * that grows as n log n, with all pairs in a heap by rank, then place.
 */
final class LongPiece {
    private final BytePairVocabulary vocabulary;
    private final byte[] text;
    private final int from;
    private final int length;
    private final int[] next; // where the part that begins here ends
    private final int[] previous; // where the part before begins
    private final int[] rank; // of the part that begins here with the next one
    private long[] heap; // rank in the upper, place in the lower half; entries of ranks that have changed are skipped
    private int size;

    LongPiece(BytePairVocabulary vocabulary, byte[] text, int from, int to) {
        this.vocabulary = vocabulary;
        this.text = text;
        this.from = from;
        this.length = to - from;
        this.next = new int[length + 1];
        this.previous = new int[length + 1];
        this.rank = new int[length];
        this.heap = new long[length];
    }

    void merge(TokenBuffer out) {
        for (int i = 0; i <= length; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
        }
        for (int i = 0; i < length; i++) {
            rankAgain(i);
        }
        while (size > 0) {
            long top = poll();
            int at = (int) top;
            if (rank[at] != (int) (top >>> 32)) {
                continue;
            }
            int gone = next[at];
            rank[gone] = BytePairVocabulary.NONE;
            next[at] = next[gone];
            previous[next[at]] = at;
            rankAgain(at);
            if (at > 0) {
                rankAgain(previous[at]);
            }
        }
        for (int i = 0; i < length; i = next[i]) {
            out.add(vocabulary.token(text, from + i, from + next[i]));
        }
    }

    private void rankAgain(int at) {
        int end = next[at];
        rank[at] = end < length ? vocabulary.token(text, from + at, from + next[end]) : BytePairVocabulary.NONE;
        if (rank[at] != BytePairVocabulary.NONE) {
            offer((long) rank[at] << 32 | at);
        }
    }

    private void offer(long entry) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size + (size >> 1) + 16);
        }
        int at = size++;
        while (at > 0 && heap[(at - 1) >>> 1] > entry) {
            heap[at] = heap[(at - 1) >>> 1];
            at = (at - 1) >>> 1;
        }
        heap[at] = entry;
    }

    private long poll() {
        long top = heap[0];
        long entry = heap[--size];
        int at = 0;
        for (int child = 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= entry) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = entry;
        return top;
    }
}
