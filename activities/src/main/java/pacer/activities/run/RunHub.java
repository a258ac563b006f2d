package pacer.activities.run;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Hands what happens in this process's stages to those in this process who follow the run. */
public final class RunHub {
    private final ConcurrentHashMap<String, List<Consumer<RunUpdate>>> listeners = new ConcurrentHashMap<>();
    private final List<BiConsumer<String, RunUpdate>> everything = new CopyOnWriteArrayList<>();

    /** Follows the run {@code id} until the returned handle is closed. Updates arrive one at a time. */
    public Subscription follow(String id, Consumer<RunUpdate> listener) {
        List<Consumer<RunUpdate>> list = listeners.computeIfAbsent(id, i -> new CopyOnWriteArrayList<>());
        Consumer<RunUpdate> oneAtATime = new Consumer<>() {
            private boolean failed;

            @Override
            public synchronized void accept(RunUpdate update) {
                try {
                    listener.accept(update);
                } catch (RuntimeException e) {
                    report(e);
                }
            }

            /** Once: whoever watches must not end what is watched, nor fill the screen. */
            private void report(RuntimeException e) {
                if (!failed) {
                    failed = true;
                    Thread thread = Thread.currentThread();
                    thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
                }
            }
        };
        list.add(oneAtATime);
        return () -> list.remove(oneAtATime);
    }

    /** Follows all runs from now on; {@code listener} must be quick, never throw, and bear several threads. */
    public void followAll(BiConsumer<String, RunUpdate> listener) {
        everything.add(listener);
    }

    /** Tells everyone who follows the run {@code id}. */
    public void tell(String id, RunUpdate update) {
        everything.forEach(listener -> listener.accept(id, update));
        listeners.getOrDefault(id, List.of()).forEach(listener -> listener.accept(update));
    }

    /** Ends following. */
    @FunctionalInterface
    public interface Subscription extends AutoCloseable {
        @Override
        void close();
    }
}
