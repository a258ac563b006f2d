package pacer.trainer.text;

/** UTF-8 to tokens, for one thread. */
interface Encoder {
    /** Appends the tokens of valid UTF-8 from {@code from} to {@code to} (exclusive). */
    void encode(byte[] text, int from, int to, TokenBuffer out);
}
