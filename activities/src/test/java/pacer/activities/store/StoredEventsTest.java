package pacer.activities.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.Fence;

/** The events of a run in a store, of hosts that each have a file of their own. */
class StoredEventsTest {
    private static final int SHORT = 200; // bytes

    @RegisterExtension
    private static final S3Server SERVER = new S3Server();

    @TempDir
    private Path folder;

    private final String prefix = "e" + UUID.randomUUID();
    private Store store;

    @BeforeEach
    void open() {
        store = Store.of(S3Server.environment(SERVER.uri(), prefix)).orElseThrow();
    }

    @AfterEach
    void close() throws Exception {
        store.objects().close();
    }

    private final class Host {
        private final Path run;
        private final Path file;
        private final StoredEvents events;
        private List<String> damage;

        Host(String name) throws Exception {
            run = Files.createDirectories(folder.resolve(name));
            file = run.resolve("events.jsonl");
            events = new StoredEvents(store.objects(), "runs/r/", file, SHORT);
        }

        Host says(int from, int to) throws IOException {
            List<String> lines = IntStream.range(from, to)
                    .mapToObj(i -> run.getFileName() + " " + i)
                    .toList();
            Files.write(file, lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            return this;
        }

        Host sends() throws Exception {
            events.send(() -> {}, TransferListener.NOBODY);
            return this;
        }

        String brings() throws Exception {
            Fence fence = Fence.acquire(run, Duration.ofSeconds(1), notice -> {});
            damage = events.bring(fence, TransferListener.NOBODY);
            return text();
        }

        String text() throws IOException {
            return Files.exists(file) ? Files.readString(file) : "";
        }
    }

    private List<Path> pieces() throws IOException {
        if (!Files.exists(SERVER.file(prefix + "/runs/r/events"))) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(SERVER.file(prefix + "/runs/r/events"))) {
            return files.toList();
        }
    }

    @Test
    void whatIsAddedIsSentAndComesToAnotherHostWhole() throws Exception {
        Host first = new Host("a");
        for (int i = 0; i < 12; i++) {
            first.says(10 * i, 10 * i + 10).sends();
        }
        assertThat(pieces())
                .as("a piece each few hundred bytes, those before it deleted")
                .hasSizeBetween(3, 5);
        assertThat(new Host("b").brings()).isEqualTo(first.text());
        Host reader = new Host("c");
        reader.events.bringAnew(TransferListener.NOBODY);
        assertThat(reader.text()).isEqualTo(first.text());
        assertThat(folder.resolve("c").toFile().list())
                .as("nothing else is left")
                .containsExactly("events.jsonl");
    }

    @Test
    void aWholePieceIsNeverSentAgain() throws Exception {
        Host host = new Host("a").says(0, 100).sends();
        Path piece = pieces().getFirst();
        var before = Files.getLastModifiedTime(piece);
        host.says(100, 110).sends();
        new Host("a").sends(); // a new process, nothing to send
        assertThat(Files.getLastModifiedTime(piece)).isEqualTo(before);
        assertThat(pieces()).hasSize(2);
    }

    @Test
    void aLineWithoutItsEndIsLeftForLater() throws Exception {
        Host first = new Host("a").says(0, 3);
        Files.writeString(first.file, "torn", StandardOpenOption.APPEND);
        first.sends();
        assertThat(new Host("b").brings()).isEqualTo("a 0\na 1\na 2\n");
    }

    @Test
    void hostsThatBothWentOnEachGetWhatTheOtherKnows() throws Exception {
        Host first = new Host("a").says(0, 60).sends().says(60, 65); // the last ones are not stored
        Host second = new Host("b");
        String known = second.brings();
        second.says(60, 70).sends();
        String both = first.brings();
        assertThat(both)
                .startsWith(known + "a 60\n")
                .contains("a 64\nb 60\n")
                .endsWith("b 69\n")
                .hasLineCount(75);
        first.sends();
        assertThat(new Host("c").brings()).isEqualTo(both);
        assertThat(first.brings()).as("it knows all of it").isEqualTo(both);
    }

    @Test
    void hostsThatTakeTurnsDoNotGetTheSameLinesAgainAndAgain() throws Exception {
        Host[] hosts = {new Host("a"), new Host("b")};
        for (int turn = 0; turn < 12; turn++) {
            Host host = hosts[turn % 2];
            String _ = host.brings();
            host.says(10 * turn, 10 * turn + 5).sends().says(10 * turn + 5, 10 * turn + 7); // killed with these
        }
        String all = hosts[0].brings();
        assertThat(all.lines()).doesNotHaveDuplicates().hasSizeBetween(6 * 7 + 6 * 5, 12 * 7);
    }

    @Test
    void aHostThatLostTheRunWhileItSentChangesNothing() throws Exception {
        Host first = new Host("a").says(0, 10).sends().says(10, 20);
        String list = Files.readString(SERVER.file(prefix + "/runs/r/events.json"));
        StoredRun.Permit none = () -> {
            throw new IOException("superseded");
        };
        assertThatThrownBy(() -> first.events.send(none, TransferListener.NOBODY))
                .hasMessage("superseded");
        assertThat(Files.readString(SERVER.file(prefix + "/runs/r/events.json")))
                .isEqualTo(list);
        assertThat(new Host("b").brings()).endsWith("a 9\n");
    }

    /** Each of three pieces is harmed in another way. */
    private void harm(Host host) throws Exception {
        host.says(0, 60).sends();
        host.says(60, 120).sends();
        host.says(120, 180).sends();
        for (Path piece : pieces()) {
            String text = Files.readString(piece);
            if (text.startsWith("a 0\n")) {
                Files.writeString(piece, text.replace("a 31", "a 13"));
            } else if (text.startsWith("a 60\n")) {
                Files.writeString(piece, text.substring(0, 100));
            } else {
                Files.delete(piece);
            }
        }
    }

    @Test
    void whatIsDamagedInTheStoreIsStoredAnewByWhoHasTheRightBytes() throws Exception {
        Host first = new Host("a");
        harm(first);
        Host second = new Host("a"); // its next attempt
        second.events.weed(TransferListener.NOBODY);
        second.says(180, 181).sends();
        Host other = new Host("b");
        assertThat(other.brings()).isEqualTo(first.text());
        assertThat(other.damage).isEmpty();
        assertThat(pieces()).hasSize(4);
    }

    @Test
    void whatAnotherHostFoundDamagedIsStoredAnewToo() throws Exception {
        Host first = new Host("a");
        harm(first);
        Host other = new Host("b");
        assertThat(other.brings()).isEmpty();
        assertThat(other.damage).hasSize(3);
        assertThat(pieces()).as("no host takes them for events any more").isEmpty();
        new Host("a").sends();
        assertThat(new Host("c").brings()).isEqualTo(first.text());
    }

    /** One that nobody looked at yet is no reason for a refusal when its bytes are to be stored. */
    @Test
    void otherBytesUnderAPiecesNameAreReplaced() throws Exception {
        Host first = new Host("a").says(0, 60).sends();
        Path piece = pieces().getFirst();
        Files.writeString(piece, "torn");
        new Host("a").says(60, 61).sends();
        assertThat(Files.readString(piece)).hasLineCount(60);
        assertThat(new Host("b").brings()).isEqualTo(first.text());
    }

    @Test
    void whatIsDamagedIsSaidAndWhatComesBeforeItKept() throws Exception {
        Host first = new Host("a").says(0, 60).sends();
        Path whole = pieces().getFirst();
        first.says(60, 70).sends();
        Path last = pieces().stream().filter(p -> !p.equals(whole)).findFirst().orElseThrow();
        Files.writeString(last, Files.readString(last).replace("a 61", "a 16"));
        Host second = new Host("b");
        assertThat(second.brings()).endsWith("a 59\n");
        assertThat(second.damage).singleElement().asString().contains("events/");
        assertThat(last).as("so that who has the right bytes stores them").doesNotExist();
        Host third = new Host("c");
        assertThat(third.brings()).endsWith("a 59\n");
        assertThat(third.damage).singleElement().asString().endsWith("is gone");
        Files.writeString(
                SERVER.file(prefix + "/runs/r/events.json"), "{\"pieces\":[{\"bytes\":3,\"sha256\":\"../x\"}]}");
        assertThatThrownBy(new Host("d")::brings).isInstanceOf(IOException.class);
        first.says(70, 71);
        new Host("a").sends(); // which looks at the list anew
        assertThat(new Host("e").brings()).isEqualTo(first.text());
    }
}
