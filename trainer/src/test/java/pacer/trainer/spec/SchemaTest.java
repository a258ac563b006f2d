package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What must hold of the records and their annotations. */
class SchemaTest {

    @Test
    void everySettingSaysWhatItMeans() {
        assertThat(Schema.RUN.settings())
                .isNotEmpty()
                .allSatisfy(setting ->
                        assertThat(setting.doc().value()).as(setting.path()).isNotBlank());
        assertThat(Schema.RUN.sections())
                .allSatisfy((path, doc) -> assertThat(doc.value()).as(path).isNotBlank());
    }

    @Test
    void countsHaveBoundsThatTheirTypeHolds() {
        assertThat(Schema.RUN.settings())
                .filteredOn(setting -> setting.type() == int.class)
                .allSatisfy(setting -> {
                    assertThat(setting.doc().min()).as(setting.path()).isBetween(-1.0, 1e9);
                    assertThat(setting.doc().max()).as(setting.path()).isBetween(1.0, (double) Integer.MAX_VALUE);
                });
    }

    @Test
    void aSectionIsOptionalWhenAllItsSettingsAre() {
        Schema.RUN.sections().forEach((path, doc) -> {
            boolean optional = Schema.RUN.settings(path).stream()
                    .allMatch(setting -> setting.standard().isPresent());
            assertThat(doc.standard()).as(path).isEqualTo(optional ? "{}" : "");
        });
    }
}
