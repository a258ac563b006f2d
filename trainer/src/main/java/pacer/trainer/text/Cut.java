package pacer.trainer.text;

/** Where a text may be divided so that its parts can be worked on apart. */
enum Cut {
    /** Between any two characters. */
    CHARACTER(1 << 20) {
        @Override
        int last(byte[] bytes, int length) {
            // the text need not be valid UTF-8 yet: then any place does, and the fault is found in the block
            for (int at = length - 1; at > length - 4 && at > 0; at--) {
                if (!Utf8.isContinuation(bytes[at])) {
                    return at;
                }
            }
            return length;
        }

        @Override
        String tooLong() {
            throw new AssertionError("every few bytes there is a place");
        }
    },

    /** Where a piece of GPT-2's encoding is certain to end. */
    PIECE(2 * Gpt2Encoder.LONGEST_PIECE + 16) { // a run of spaces and what follows it
        @Override
        int last(byte[] bytes, int length) {
            int at = Utf8.before(bytes, length); // its bytes may not all be here
            if (at > 0) {
                at = Utf8.before(bytes, at);
            }
            while (at > 0 && !Gpt2Pieces.mayDivide(bytes, at)) {
                at = Utf8.before(bytes, at);
            }
            return at;
        }

        @Override
        String tooLong() {
            return Gpt2Encoder.tooLong();
        }
    },

    /** After a line. */
    LINE(1 << 24) {
        @Override
        int last(byte[] bytes, int length) {
            int at = length;
            while (at > 0 && bytes[at - 1] != '\n') {
                at--;
            }
            return at;
        }

        @Override
        String tooLong() {
            return "the line has more than %d bytes; divide its document into several".formatted(limit());
        }
    };

    private final int limit;

    Cut(int limit) {
        this.limit = limit;
    }

    /** Bytes among which there must be a place to cut. */
    int limit() {
        return limit;
    }

    /** Last place from 1 to {@code length} to cut at, with whatever may follow, or 0 if there is none. */
    abstract int last(byte[] bytes, int length);

    /** What to say of text that cannot be cut within the limit. */
    abstract String tooLong();
}
