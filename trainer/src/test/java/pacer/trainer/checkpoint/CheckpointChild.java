package pacer.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A process that recovers and then saves a checkpoint each step, of content known from the step, until it is killed. */
final class CheckpointChild {
    private CheckpointChild() {}

    public static void main(String[] arguments) throws IOException {
        Path run = Path.of(arguments[0]);
        int kilobytes = Integer.parseInt(arguments[1]);
        Duration patience = Duration.ofSeconds(30);
        long epoch = Fence.acquire(run, patience, System.out::println).epoch();
        Fence fence = Fence.join(run, epoch, patience);
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), System.out::println);
        int step = store.recover(fence).map(c -> c.state().step()).orElse(0);
        System.out.println("from " + step);
        try {
            while (true) {
                step++;
                store.save(
                        fence,
                        States.at(step, null),
                        States.tensors("w", step, kilobytes),
                        States.tensors("m", -step, 2 * kilobytes));
                System.out.println("saved " + step);
                store.prune(fence, 2, false);
            }
        } catch (IOException e) {
            System.out.println("failed: " + e.getMessage());
        }
    }
}
