package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import pacer.workflows.codec.CodecEndpoint;
import pacer.workflows.codec.NewKey;
import pacer.workflows.codec.PayloadKeys;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "codec",
        description = {
            "Decrypt for Temporal's UI and command line what PACER_PAYLOAD_KEYS has encrypted, until told to end.",
            "Whoever reaches its address can read payloads: it listens on this machine only, unless told.%n"
        })
final class CodecCommand implements Callable<Integer> {
    private static final String USUAL = "127.0.0.1:8081";
    private static final String USUAL_UI = "http://127.0.0.1:8233";

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description = "Where it answers (default: PACER_CODEC, else " + USUAL + ").")
    private String listen;

    @Option(
            names = "--origin",
            paramLabel = "URL",
            description =
                    "Scheme, host and port of a UI whose pages may ask; can be given several times (default: PACER_TEMPORAL_UI, else "
                            + USUAL_UI + ").")
    private List<String> origins = List.of();

    @Option(
            names = "--new-key",
            paramLabel = "FILE",
            description = "Make FILE with a key instead, or add one at its end: the first line encrypts, all decrypt.")
    private Path newKey;

    private final Console console;

    CodecCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (newKey != null) {
            return make();
        }
        Map<String, String> environment = console.environment();
        String address = listen != null ? listen : environment.getOrDefault("PACER_CODEC", "");
        CountDownLatch told = new CountDownLatch(1);
        try (CodecEndpoint endpoint = CodecEndpoint.serve(
                        address.isBlank() ? USUAL : address, allowed(environment), PayloadKeys.of(environment));
                Signals.Taken _ = Signals.on("INT", told::countDown);
                Signals.Taken _ = Signals.on("TERM", told::countDown);
                Signals.Taken _ = Signals.on("HUP", told::countDown)) {
            if (!endpoint.isLoopback()) {
                console.complain(
                        address + ": nobody is asked for a password; whoever reaches this address can read payloads");
            }
            console.println("codec at " + endpoint.url() + " for " + String.join(", ", allowed(environment)));
            told.await();
        }
        console.println("ended");
        return Exit.OK;
    }

    private int make() throws IOException {
        if (listen != null || !origins.isEmpty()) {
            throw new Mistake("--new-key makes a key and ends; --listen and --origin are for serving");
        }
        String id = NewKey.add(newKey, LocalDate.now(ZoneOffset.UTC));
        PayloadKeys keys = PayloadKeys.of(Map.of(PayloadKeys.VARIABLE, newKey.toString()));
        console.println(
                "key " + id + " in " + Console.shown(newKey)
                        + (keys.ids().size() == 1
                                ? "; use it: " + PayloadKeys.VARIABLE + "="
                                        + newKey.toAbsolutePath().normalize()
                                : ", its last line: decrypts; once all workers and clients have it, its line goes first and it encrypts"));
        return Exit.OK;
    }

    /** Browsers take localhost and 127.0.0.1 for two origins, and people type either. */
    private Set<String> allowed(Map<String, String> environment) {
        String ui = environment.getOrDefault("PACER_TEMPORAL_UI", "").strip().replaceFirst("/+$", "");
        Set<String> all = new LinkedHashSet<>();
        for (String origin : origins.isEmpty() ? List.of(ui.isEmpty() ? USUAL_UI : ui) : origins) {
            all.add(origin);
            all.add(origin.replaceFirst("^http://127\\.0\\.0\\.1(?=:|$)", "http://localhost"));
            all.add(origin.replaceFirst("^http://localhost(?=:|$)", "http://127.0.0.1"));
        }
        return all;
    }
}
