package pacer.trainer.spec;

/**
 * Where a value was written.
 *
 * @param source a file, or what gave a setting and the setting: {@code --set a.b=value}
 * @param line from 1; 0 when the place is the source as a whole
 * @param column from 1, in characters; 0 when the place is the source as a whole
 */
public record Place(String source, int line, int column) {

    static Place of(String source) {
        return new Place(source, 0, 0);
    }

    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line + ":" + column;
    }
}
