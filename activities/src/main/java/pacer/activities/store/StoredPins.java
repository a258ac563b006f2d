package pacer.activities.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Pattern;
import pacer.activities.run.StageContext;

/** Digests that files of catalogues had when the first host brought them, {@code pins/<catalogue>/<file>.sha256}, so that all hosts hold to the same. */
public final class StoredPins {
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    private final Store store;

    StoredPins(Store store) {
        this.store = store;
    }

    /** The digest that is pinned for {@code file}. */
    public Optional<String> find(String catalogue, String file, StageContext context)
            throws IOException, InterruptedException {
        String key = key(catalogue, file);
        Optional<byte[]> pin = store.objects().read(key, (done, all) -> context.check());
        if (pin.isEmpty()) {
            return Optional.empty();
        }
        String digest = new String(pin.get(), StandardCharsets.UTF_8).split(" ", 2)[0];
        if (!SHA256.matcher(digest).matches()) {
            throw new IOException(store.objects().address(key) + ": no SHA-256 as sha256sum writes it; delete it");
        }
        return Optional.of(digest);
    }

    /** Pins {@code sha256} where nothing is pinned yet; returns what is pinned then. */
    public String pin(String catalogue, String file, String sha256, StageContext context)
            throws IOException, InterruptedException {
        Content pin = Content.of((sha256 + "  " + file + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            store.objects().put(key(catalogue, file), pin, (done, all) -> context.check());
            return sha256;
        } catch (ObjectConflictException e) {
            return find(catalogue, file, context).orElseThrow(() -> e);
        }
    }

    /** Where the pin of {@code file} is, for people. */
    public String place(String catalogue, String file) {
        return store.place().resolve(key(catalogue, file)).toString();
    }

    private static String key(String catalogue, String file) {
        return "pins/" + catalogue + "/" + file + ".sha256";
    }
}
