package pacer.trainer.checkpoint;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** A process that acquires, joins and commits as it is told on standard input. */
final class FenceChild {
    private FenceChild() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path run = Path.of(arguments[0]);
        Duration patience = Duration.ofSeconds(60);
        Fence fence = null;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            try {
                switch (words[0]) {
                    case "acquire" -> {
                        fence = Fence.acquire(run, patience, System.err::println);
                        System.out.println(fence.epoch());
                    }
                    case "join" -> {
                        fence = Fence.join(run, Long.parseLong(words[1]), patience);
                        System.out.println("joined");
                    }
                    case "commit" -> {
                        String epoch = fence.epoch() + "\n";
                        System.out.println(fence.commit(() -> {
                            Files.writeString(
                                    run.resolve("commits"),
                                    epoch,
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.APPEND);
                            return "committed";
                        }));
                    }
                    case "hang" ->
                        fence.commit(() -> {
                            System.out.println("inside");
                            try {
                                Thread.sleep(Duration.ofMinutes(5));
                            } catch (InterruptedException e) {
                                throw new IOException(e);
                            }
                            return null;
                        });
                    default -> throw new IllegalArgumentException(line);
                }
            } catch (FencedException e) {
                System.out.println("fenced: " + e.getMessage());
            }
        }
    }
}
