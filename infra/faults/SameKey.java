import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.RunHub;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.store.Content;
import pacer.activities.store.ObjectStore;
import pacer.activities.store.S3Settings;
import pacer.activities.store.Store;
import pacer.activities.store.StoredDatasets;
import pacer.activities.store.TransferListener;
import pacer.trainer.spec.DatasetSpec;

/**
 * One of two processes that want the same new dataset at the same moment, round after round; for infra/faults and SameDatasetTest. They meet in a mapped
 * file before each round, so that both begin within a microsecond or so.
 *
 * <pre>
 * java -cp PACER SameKey.java FOLDER cache ROUNDS SEED 0|1   both with the cache in FOLDER
 * java -cp PACER SameKey.java FOLDER store ROUNDS SEED 0|1   each with a cache of its own, and PACER_STORE in common
 * </pre>
 *
 * Says {@code made HASH} or {@code took HASH} a round, and with a store {@code sent} or {@code adopted} of an object that both store at once. Exit code 1 when
 * anything else happens: a notice, a fault, the other's silence.
 */
final class SameKey {
    private static final VarHandle LONGS =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long PATIENCE_NANOS = 120_000_000_000L;

    private final ByteBuffer places; // how far each is
    private final int me;
    private long met;

    private SameKey(ByteBuffer places, int me) {
        this.places = places;
        this.me = me;
    }

    /** Waits until the other one is here, too. */
    private void meet() {
        met++;
        LONGS.setVolatile(places, 64 * me, met);
        long begun = System.nanoTime();
        while ((long) LONGS.getVolatile(places, 64 * (1 - me)) < met) {
            if (System.nanoTime() - begun > PATIENCE_NANOS) {
                throw new IllegalStateException("the other process does not come");
            }
            Thread.onSpinWait();
            if (System.nanoTime() - begun > 1_000_000) {
                Thread.yield(); // there may be but one core for both
            }
        }
    }

    private static final StageContext STRICT = new StageContext() {
        @Override
        public void progress(Progress newest) {}

        @Override
        public void notice(String text) {
            throw new IllegalStateException("notice: " + text); // nothing is damaged, and the store answers
        }

        @Override
        public Stop stop() {
            return Stop.NONE;
        }
    };

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        boolean stored = arguments[1].equals("store");
        int rounds = Integer.parseInt(arguments[2]);
        long seed = Long.parseLong(arguments[3]);
        int me = Integer.parseInt(arguments[4]);
        Home home = new Home(folder.resolve("runs"), folder.resolve(stored ? me + "/cache" : "cache"));
        Map<String, String> environment = System.getenv();
        try (FileChannel file = FileChannel.open(
                        folder.resolve("meeting"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
                Other other = stored ? Other.of(environment) : null) {
            SameKey both = new SameKey(file.map(FileChannel.MapMode.READ_WRITE, 0, 128), me);
            Datasets datasets = new Datasets(
                    home,
                    new StageLog(home, new RunHub(), Clock.systemUTC()),
                    Clock.systemUTC(),
                    FetchSettings.of(Map.of()),
                    other == null ? Optional.empty() : Optional.of(new StoredDatasets(other.store())));
            both.race(folder, datasets, other, rounds, seed);
        }
        System.exit(0);
    }

    private void race(Path folder, Datasets datasets, Other other, int rounds, long seed) throws Exception {
        StringBuilder said = new StringBuilder();
        for (int round = 0; round < rounds; round++) {
            Path text = folder.resolve("text-" + me + "-" + round + ".txt");
            byte[] words = words(seed * 1_000_003 + round);
            Files.write(text, words);
            DatasetSpec spec = new DatasetSpec(
                    "file:" + text, "", DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.CHARACTERS, 0.1);
            meet();
            DatasetResult result = datasets.prepare(new DatasetRequest(null, spec), STRICT);
            said.append(result.reused() ? "took " : "made ").append(result.hash()).append('\n');
            if (other != null) {
                meet();
                said.append(other.put("race/" + round, words) ? "sent\n" : "adopted\n");
            }
            Files.delete(text);
        }
        System.out.print(said);
        System.out.flush();
    }

    /** Two kilobytes of a seed's letters. */
    private static byte[] words(long seed) {
        SplittableRandom dice = new SplittableRandom(seed);
        StringBuilder text = new StringBuilder();
        while (text.length() < 2000) {
            text.append((char) ('a' + dice.nextInt(26))).append(dice.nextInt(8) == 0 ? "\n" : " ");
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    /** The store that both have. */
    private record Other(Store store, ObjectStore objects) implements AutoCloseable {
        static Other of(Map<String, String> environment) throws IOException {
            Store store = Store.of(environment).orElseThrow(() -> new IllegalArgumentException("PACER_STORE is not set"));
            return new Other(store.begin(), new ObjectStore(store.place(), S3Settings.of(environment)));
        }

        boolean put(String key, byte[] bytes) throws IOException, InterruptedException {
            try (Content content = Content.of(bytes)) {
                return objects.put(key, content, TransferListener.NOBODY);
            }
        }

        @Override
        public void close() {
            objects.close();
            store.close();
        }
    }
}
