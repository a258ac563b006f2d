package pacer.trainer.data;

import java.util.Locale;

/** What a shard's tokens are for. */
public enum Split {
    TRAIN("train"),
    VALIDATION("val");

    private final String prefix;

    Split(String prefix) {
        this.prefix = prefix;
    }

    /** How names of its files begin: {@code train}, {@code val}. */
    public String prefix() {
        return prefix;
    }

    /** Name of shard {@code index}, as {@code train-000000.bin}. */
    public String shardName(int index) {
        return String.format(Locale.ROOT, "%s-%06d.bin", prefix, index); // some languages have digits of their own
    }
}
