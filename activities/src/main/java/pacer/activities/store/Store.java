package pacer.activities.store;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import pacer.activities.run.BadInputException;

/** The store of this worker. Its client takes a second to begin, so it begins beside everything else. */
public final class Store implements AutoCloseable {
    private final S3Address place;
    private final CompletableFuture<ObjectStore> objects;

    private Store(StoreSettings settings) {
        this.place = settings.place();
        this.objects = CompletableFuture.supplyAsync(() -> {
            try {
                return new ObjectStore(settings.place(), settings.access());
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
    }

    /**
     * The store that {@code environment} names; empty when it names none.
     *
     * @throws BadInputException when what it names is no store's place
     */
    public static Optional<Store> of(Map<String, String> environment) {
        return StoreSettings.of(environment).map(Store::new);
    }

    /** Where it is, for people. */
    public S3Address place() {
        return place;
    }

    ObjectStore objects() throws IOException, InterruptedException {
        try {
            return objects.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        }
    }

    @Override
    public void close() {
        CompletableFuture<Void> _ = objects.thenAccept(ObjectStore::close);
    }
}
