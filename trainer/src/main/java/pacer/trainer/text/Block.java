package pacer.trainer.text;

/** A part of the raw file that is worked on by itself. */
final class Block {
    private final byte[] bytes;
    private final int length;
    private final long offset;

    Block(byte[] bytes, int length, long offset) {
        this.bytes = bytes;
        this.length = length;
        this.offset = offset;
    }

    /** The bytes; those from {@link #length} on mean nothing. */
    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    /** Where in the file it begins. */
    long offset() {
        return offset;
    }

    /** Where in the file it ends. */
    long end() {
        return offset + length;
    }
}
