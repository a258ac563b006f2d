package pacer.activities.store;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import pacer.activities.run.BadInputException;

/** The store of this worker. Its client takes a second to begin, so it can begin beside everything else; who only follows a run needs none. */
public final class Store implements AutoCloseable {
    private final StoreSettings settings;
    private CompletableFuture<ObjectStore> objects; // null: not begun

    private Store(StoreSettings settings) {
        this.settings = settings;
    }

    /** Begins the client, if it has not begun. */
    public synchronized Store begin() {
        if (objects == null
                || objects.isCompletedExceptionally()) { // a region that was slow to tell at boot is there now
            objects = CompletableFuture.supplyAsync(() -> {
                try {
                    return new ObjectStore(settings.place(), settings.access());
                } catch (IOException e) {
                    throw new CompletionException(e);
                }
            });
        }
        return this;
    }

    private synchronized CompletableFuture<ObjectStore> begun() {
        return begin().objects;
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
        return settings.place();
    }

    ObjectStore objects() throws IOException, InterruptedException {
        try {
            return begun().get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        }
    }

    @Override
    public synchronized void close() {
        if (objects != null) {
            CompletableFuture<Void> _ = objects.thenAccept(ObjectStore::close);
        }
    }
}
