package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.activities.run.BadInputException;

class SourceTest {
    @Test
    void takesEachFormApart() {
        assertThat(Source.parse("https://host/a/b.txt"))
                .isEqualTo(new Source.Https(URI.create("https://host/a/b.txt")));
        assertThat(Source.parse("file:data/a b.txt")).isEqualTo(new Source.LocalFile(Path.of("data/a b.txt")));
        assertThat(Source.parse("file:/tmp/a.txt")).isEqualTo(new Source.LocalFile(Path.of("/tmp/a.txt")));
        assertThat(Source.parse("file:///tmp/a%20b.txt")).isEqualTo(new Source.LocalFile(Path.of("/tmp/a b.txt")));
        Source maven = Source.parse("maven:org.example.sub:thing:1.0!/folder/text.txt");
        assertThat(maven).isEqualTo(new Source.MavenEntry("org.example.sub", "thing", "1.0", "folder/text.txt"));
        assertThat(((Source.MavenEntry) maven).inRepository())
                .isEqualTo(Path.of("org/example/sub/thing/1.0/thing-1.0.jar"));
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            http://host/a,            is none of
            ftp://host/a,             is none of
            data.txt,                 is none of
            file:,                    names no file
            https://ho st/,           is no URL: Illegal character
            maven:a:b!/c,             is not of the form maven:
            maven:a:b:1!/,            is not of the form maven:
            maven:a:..:1!/c,          is not of the form maven:
            maven:a:b:../../x!/c,     is not of the form maven:
            """)
    void namesTheValueAndTheRule(String url, String rule) {
        assertThatThrownBy(() -> Source.parse(url))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("dataset.url: '" + url + "'")
                .hasMessageContaining(rule);
    }
}
