package pacer.workflows.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import pacer.activities.dataset.Datasets;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunStatus;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StoppedException;
import pacer.trainer.spec.RunSpec;
import pacer.workflows.PipelineOutcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "train",
        description = {
            "Prepare the dataset and train, without a workflow: no service, no retries, no evaluation after it.",
            "An interrupted training of the same settings is gone on with; resume evaluates and publishes.%n"
        })
final class TrainCommand implements Callable<Integer> {
    @Mixin
    private StartOptions start;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    TrainCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        RunSpec resolved = start.spec().layers().spec();
        Datasets.requireLocalFile(resolved.dataset());
        Hints hints = Hints.of(console, places).with(start.spec());
        Terminal shown = output.json() ? console.errors() : console.out();
        try (BareTraining training = BareTraining.of(
                resolved, start.fresh(), places.writable(console.environment()), console.environment())) {
            RunFolder folder = training.folder();
            RunView view = new RunView(shown, System::nanoTime).ticking();
            shown.size().follow();
            view.say(shown.paint(Tone.STRONG, folder.id()) + (training.resumed() ? "  goes on where it stopped" : ""));
            training.notice().ifPresent(view::notice);
            int code = Exit.OK;
            boolean refused = false;
            try (StopSignals _ = StopSignals.listen(view::say, training::stop, hints.again("train"))) {
                training.run(resolved, start.note(), start.budget(), view);
            } catch (StoppedException e) {
                code = Exit.STOPPED;
            } catch (StageFailure e) {
                refused = e.isRefusal();
                code = refused ? Exit.USAGE : Exit.FAILED; // its line was shown and is in the record
            } catch (DamagedDataException e) {
                code = Exit.FAILED;
            } finally {
                view.close();
            }
            RunStatus how = folder.read().status();
            Closing.tell(
                    console, folder, output.json(), hints, new PipelineOutcome(folder.id(), how, null, null, refused));
            return code;
        }
    }
}
