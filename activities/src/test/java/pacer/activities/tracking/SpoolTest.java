package pacer.activities.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunFolder;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

class SpoolTest {
    @TempDir
    private Path place;

    private final List<String> damage = new ArrayList<>();
    private RunFolder folder;
    private EventsForTests events;

    @BeforeEach
    void prepare() {
        folder = new RunFolder(place);
        events = new EventsForTests(folder);
    }

    private Spool spool(int piece) {
        return new Spool(folder.events(), piece, damage::add);
    }

    private List<TrainingEvent> all(Spool spool) throws IOException {
        List<TrainingEvent> read = new ArrayList<>();
        Spool.Piece piece = spool.read(0);
        for (long at = 0; piece.end() != at; piece = spool.read(at)) {
            read.addAll(piece.events());
            at = piece.end();
        }
        return read;
    }

    @Test
    void whateverThePiecesTheLinesAreTheSame() throws IOException {
        assertThat(spool(100).read(0)).isEqualTo(new Spool.Piece(List.of(), 0));
        events.launch(1, 50);
        List<TrainingEvent> whole = EventLog.read(folder.events(), damage::add);
        for (int piece : new int[] {1, 17, 160, 1000, 1 << 20}) { // some are shorter than a line
            assertThat(all(spool(piece))).as("pieces of %d", piece).isEqualTo(whole);
        }
        assertThat(damage).isEmpty();
    }

    @Test
    void anUnfinishedLineIsLeftForLater() throws IOException {
        events.launch(1, 3);
        long end = Files.size(folder.events());
        events.write("{\"event\":\"step\"");
        assertThat(spool(1 << 10).read(end)).isEqualTo(new Spool.Piece(List.of(), end));
        events.cut(end);
        events.launch(3, 3);
        assertThat(spool(1 << 10).read(end).events()).hasSize(2);
        assertThat(damage).isEmpty();
    }

    @Test
    void aLineThatIsNoEventIsToldAndPassedOver() throws IOException {
        events.launch(1, 2);
        events.write("nonsense\n");
        events.launch(3, 3);
        assertThat(all(spool(64))).hasSize(5);
        assertThat(damage).singleElement().asString().contains("events.jsonl", "is no event");
    }

    @Test
    void aFileThatBecameShorterIsReadAnew() throws IOException {
        events.launch(1, 20);
        long end = Files.size(folder.events());
        events.cut(0);
        events.launch(1, 3);
        assertThat(spool(1 << 16).read(end).events()).hasSize(4);
    }

    @Test
    void ofStepsThatComeAgainTheFirstCountsWhereverItIsCut() throws IOException {
        events.launch(1, 25);
        events.launch(11, 40);
        events.launch(31, 60);
        for (int piece : new int[] {1, 500, 1 << 20}) {
            Map<String, Integer> newest = new HashMap<>();
            List<String> losses = new ArrayList<>();
            for (TrainingEvent event : all(spool(piece))) {
                Points.of(List.of(event), newest, null).stream()
                        .filter(point -> point.key().equals("train/loss"))
                        .forEach(point ->
                                losses.add(point.step() + "@" + point.time().toEpochMilli() + "=" + point.value()));
            }
            assertThat(losses).isEqualTo(events.losses()).hasSize(60);
        }
    }
}
