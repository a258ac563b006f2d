package pacer.trainer.text;

import java.io.IOException;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.DatasetSpec.Format;

/**
 * What the first pass over a file finds out.
 *
 * @param tokenizer with the vocabulary of the whole text
 * @param units characters of text, or documents
 * @param cut byte where validation begins
 */
record TextDivision(Tokenizer tokenizer, long units, long cut) {

    /**
     * Reads the whole file.
     *
     * @throws BadDataException if it is not what its format says, or too short to be divided
     */
    static TextDivision of(
            RawFile file,
            DatasetSpec.Tokenizer kind,
            double validationFraction,
            BlockPipeline pipeline,
            int blockBytes,
            TextScan.Progress progress)
            throws IOException, InterruptedException {
        boolean characters = kind == DatasetSpec.Tokenizer.CHARACTERS;
        TextScan scan = TextScan.of(file, characters, pipeline, blockBytes, progress);
        long trainUnits = (long) (scan.units() * (1 - validationFraction));
        String units = file.format() == Format.TEXT ? "characters" : "documents";
        if (trainUnits == 0 || (validationFraction > 0 && trainUnits == scan.units())) {
            throw file.lacks(("%d %s cannot be divided into training and %s for validation; "
                            + "bring more text, or change dataset.validationFraction")
                    .formatted(scan.units(), units, validationFraction));
        }
        Tokenizer tokenizer = characters ? CharacterTokenizer.of(scan.characters()) : Gpt2Tokenizer.instance();
        return new TextDivision(tokenizer, scan.units(), scan.offset(trainUnits));
    }
}
