package pacer.activities.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunJson;
import pacer.activities.run.SweepRequest;
import pacer.activities.run.TestRuns;

class SweepsTest {
    @TempDir
    private Path folder;

    private SweepState open(String input) throws IOException {
        return new Sweeps(TestRuns.home(folder), () -> 2)
                .open(RunJson.MAPPER.readValue(input, SweepRequest.class), "my sweep/1");
    }

    private void refused(String input, String... parts) {
        assertThatThrownBy(() -> open(input))
                .isInstanceOf(BadInputException.class)
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    private static SweepRun ended(SweepPlan plan, int number, double loss) {
        SweepTrial trial = plan.trial(number);
        return new SweepRun(
                number,
                trial.point(),
                trial.seed(),
                trial.run(),
                SweepRun.State.FINISHED,
                loss,
                trial.steps(),
                1000,
                60,
                null,
                List.of(new Mark(1, 4), new Mark(60, loss)),
                List.of(new Mark(60, loss)));
    }

    @Test
    void settingsThatVaryAreAGridOfWhichTheLastChangesSoonest() throws IOException {
        SweepPlan plan =
                open("{\"preset\": \"quickstart\", \"vary\": {\"optimizer.learningRate\": [0.001, \"3e-3\"], \"train.steps\": [300, 400]}, \"seeds\": 2, \"parallel\": 2}")
                        .plan();
        assertThat(plan.id()).isEqualTo("my-sweep-1");
        assertThat(plan.points())
                .extracting(SweepPoint::label)
                .containsExactly(
                        "optimizer.learningRate=0.001 train.steps=300",
                        "optimizer.learningRate=0.001 train.steps=400",
                        "optimizer.learningRate=3e-3 train.steps=300",
                        "optimizer.learningRate=3e-3 train.steps=400");
        assertThat(plan.points()).extracting(SweepPoint::steps).containsExactly(300, 400, 300, 400);
        assertThat(plan.brief(3)).isEqualTo("learningRate 3e-3, steps 400");
        assertThat(plan.seeds()).containsExactly(1337L, 1338L);
        assertThat(IntStream.range(0, plan.runs()).mapToObj(n -> plan.trial(n).run()))
                .as("all points with one seed before any with the next")
                .startsWith("my-sweep-1-p1-s1337", "my-sweep-1-p2-s1337")
                .endsWith("my-sweep-1-p4-s1338")
                .hasSize(8);
        assertThat(plan.request()
                        .run(plan.points().get(2).settings(), 1338, "x", "n", null)
                        .sets())
                .containsExactly("optimizer.learningRate=3e-3", "train.steps=300", "seed=1338");
        assertThat(RunJson.MAPPER.readValue(RunJson.MAPPER.writeValueAsString(plan.request()), SweepRequest.class))
                .as("read as it was written")
                .isEqualTo(plan.request());
    }

    @Test
    void rowsGoTogetherAndWithEveryCombinationOfTheGrid() throws IOException {
        SweepPlan plan =
                open("{\"preset\": \"quickstart\", \"rows\": [{\"optimizer.learningRate\": 0.001, \"train.steps\": 300}, {\"optimizer.learningRate\": 0.003, \"train.steps\": 200}], \"vary\": {\"optimizer.weightDecay\": [0, 0.1]}}")
                        .plan();
        assertThat(plan.points())
                .extracting(point -> String.join(" ", point.settings().values()))
                .containsExactly("0.001 300 0", "0.001 300 0.1", "0.003 200 0", "0.003 200 0.1");
    }

    @Test
    void allFaultsOfAllPointsComeAtOnceWithTheirValues() {
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"optimizer.learningRate\": [0.001, -1, \"fast\"], \"model.heads\": [4, 5]}}",
                "faults in the sweep's settings:",
                "--vary optimizer.learningRate=-1: ",
                "--vary optimizer.learningRate=fast: ",
                "  --vary model.heads=5: 5, model.heads (5) must divide model.width (128)");
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"model.width\": [128, 130], \"model.heads\": [4, 5]}}",
                "2 faults in the sweep's settings:",
                "with model.width=128 model.heads=5: --vary model.heads=5: 5, model.heads (5) must divide model.width (128)",
                "with model.width=130 model.heads=4: ");
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"train.steps\": [300, \"x\", 400]}, \"seeds\": 0, \"parallel\": 0}",
                "seeds: 0, must be 1 or more",
                "parallel: 0, must be 1 or more",
                "--vary train.steps=x: x, must be");
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"optimizer.learnigRate\": [0.001, 0.003]}}",
                "--vary optimizer.learnigRate=0.001: ",
                "did you mean");
        refused(
                "{\"preset\": \"quickstrat\", \"vary\": {\"train.steps\": [300, 400]}}",
                "preset quickstrat: no such preset");
    }

    @Test
    void whatComparesNothingIsRefused() {
        refused("{\"preset\": \"quickstart\"}", "one run is no sweep");
        refused("{\"preset\": \"quickstart\", \"seeds\": 0}", "seeds: 0, must be 1 or more");
        refused("{\"preset\": \"quickstart\", \"seeds\": 501}", "a sweep has at most 500");
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"optimizer.learningRate\": [0.001, \"1e-3\"]}}",
                "optimizer.learningRate=1e-3 is the same as optimizer.learningRate=0.001");
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"train.steps\": [300, 300]}}",
                "vary.train.steps: a value is there twice");
        refused("{\"preset\": \"quickstart\", \"vary\": {\"seed\": [1, 2]}}", "seeds do not vary like settings");
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"train.steps\": [300, 400]}, \"stopEarly\": 1}",
                "stopEarly: of 2 points none can be judged");
        refused(
                "{\"preset\": \"quickstart\", \"rows\": [{\"train.steps\": 300}, {\"optimizer.weightDecay\": 0}], \"vary\": {\"train.steps\": [1]}}",
                "train.steps is in vary too",
                "lacks optimizer.weightDecay");
        refused(
                "{\"preset\": \"quickstart\", \"vary\": {\"train.steps\": [300, 400]}, \"budget\": \"2usd\"}",
                "budget.dollars: the machine's price is not known");
    }

    @Test
    void whatCannotBeMeantIsToldInOurWords() {
        refused(
                "{\"presets\": \"quickstart\", \"vary\": {\"train.steps\": 300, \"seed\": [[1]]}, \"rows\": [1], \"seeds\": \"two\"}",
                "presets: no such field; did you mean preset?",
                "vary.train.steps: 300, must be a list of values",
                "vary.seed: [1], must be one value",
                "rows: 1, must be an object",
                "seeds: \"two\", must be a whole number, such as 3");
        refused("[]", "the input is [], must be an object");
    }

    @Test
    void meansAreOverTheRunsThatCameToTheirEnd() throws IOException {
        SweepPlan plan =
                open("{\"preset\": \"quickstart\", \"vary\": {\"optimizer.learningRate\": [0.001, 0.003, 0.1]}, \"seeds\": 2}")
                        .plan();
        SweepRun stopped = ended(plan, 4, 9).stopped("hopeless", plan.trial(4).steps() + 1);
        SweepResult result = SweepResult.of(
                plan,
                List.of(
                        ended(plan, 0, 2.0),
                        ended(plan, 1, 1.7),
                        ended(plan, 2, Double.NaN),
                        ended(plan, 3, 2.2),
                        stopped,
                        plan.trial(5).failed("no memory")),
                null);

        assertThat(result.points()).extracting(PointResult::point).containsExactly(1, 0, 2);
        assertThat(result.points().get(0).finished()).isEqualTo(1);
        assertThat(result.points().get(0).mean()).isEqualTo(1.7);
        assertThat(result.points().get(0).missing()).isEqualTo("1 stopped early");
        assertThat(result.points().get(1).mean()).isEqualTo(2.1);
        assertThat(result.points().get(1).standardDeviation())
                .isCloseTo(0.1414, org.assertj.core.data.Offset.offset(1e-4));
        assertThat(result.points().get(2).missing()).isEqualTo("1 failed");
        assertThat(result.best().orElseThrow().settings()).isEqualTo(Map.of("optimizer.learningRate", "0.003"));
        assertThat(result.text())
                .isEqualTo(
                        "best: learningRate 0.003, val loss 1.7000; 0.4000 ahead of learningRate 0.001, by one seed, whose spread is not known; 1 failed");
        assertThat(result.goesOn()).as("what failed may be done again").isTrue();
    }

    @Test
    void aRunAskedToStopThatCameToItsEndIsFinished() throws IOException {
        SweepPlan plan = open("{\"preset\": \"quickstart\", \"seeds\": 2}").plan();
        SweepRun whole = ended(plan, 0, 2);
        assertThat(whole.stopped("too late", whole.steps())).isEqualTo(whole);
        assertThat(whole.stopped("in time", whole.steps() + 1).state()).isEqualTo(SweepRun.State.STOPPED);
    }

    @Test
    void aLeadWithinTheSpreadOfSeedsIsSaidToBeOne() throws IOException {
        SweepPlan plan =
                open("{\"preset\": \"quickstart\", \"vary\": {\"optimizer.learningRate\": [0.001, 0.003]}, \"seeds\": 2}")
                        .plan();
        SweepResult near = SweepResult.of(
                plan,
                List.of(ended(plan, 0, 2), ended(plan, 1, 2.01), ended(plan, 2, 2.1), ended(plan, 3, 2.11)),
                null);
        assertThat(near.text()).endsWith("which is within the spread of their seeds");
        SweepResult far = SweepResult.of(
                plan, List.of(ended(plan, 0, 2), ended(plan, 1, 3), ended(plan, 2, 2.1), ended(plan, 3, 3.1)), null);
        assertThat(far.text()).endsWith("1.0000 ahead of learningRate 0.003");
        assertThat(far.goesOn()).isFalse();
    }

    @Test
    void whatEndedIsWrittenDownAndGoneOnWithWithoutWhatFailed() throws IOException {
        Sweeps sweeps = new Sweeps(TestRuns.home(folder), () -> 2);
        SweepPlan plan =
                open("{\"preset\": \"quickstart\", \"vary\": {\"optimizer.learningRate\": [0.001, 0.003]}, \"seeds\": 2, \"note\": \"a <b> test\"}")
                        .plan();
        sweeps.note(plan.id(), ended(plan, 1, 1.7));
        sweeps.note(plan.id(), plan.trial(0).failed("its <disk> | is full"));
        sweeps.note(plan.id(), ended(plan, 2, 1.8));

        Home home = TestRuns.home(folder);
        String page = Files.readString(home.runs().resolve(plan.id()).resolve("sweep.html"));
        assertThat(page)
                .contains("best: learningRate 0.003")
                .contains("its &lt;disk&gt; | is full")
                .contains("polyline", "data-name=\"learningRate 0.003\"");
        assertThat(Files.readString(home.runs().resolve(plan.id()).resolve("sweep.md")))
                .contains("failed: its <disk> \\| is full")
                .contains("`pacer run quickstart --set 'optimizer.learningRate=0.003'`");
        assertThat(sweeps.read(plan.id()).runs()).extracting(SweepRun::number).containsExactly(0, 1, 2);

        SweepState on = open("{\"sweep\": \"my-sweep-1\", \"parallel\": 3, \"budget\": {\"hours\": 2}}");
        assertThat(on.runs()).extracting(SweepRun::number).containsExactly(1, 2);
        assertThat(on.plan().parallel()).isEqualTo(3);
        assertThat(on.plan().request().budget().hours()).isEqualTo(2);
        assertThat(on.plan().points()).isEqualTo(plan.points());
        refused("{\"sweep\": \"my-sweep-1\", \"seeds\": 3}", "goes on as it was asked for");
        refused("{\"sweep\": \"another\"}", "sweep another: there is no ");
        refused("{\"sweep\": \"../x\"}", "no name of a sweep");
    }

    @Test
    void longCurvesAreThinnedAlikeSoThatTheirStepsAreTheSame() {
        List<Mark> all = IntStream.rangeClosed(1, 1000)
                .mapToObj(step -> new Mark(step, 1))
                .toList();
        List<Mark> some = Mark.some(all, 48);
        assertThat(some).hasSizeBetween(40, 49).endsWith(new Mark(1000, 1));
        assertThat(Mark.some(all.subList(0, 10), 48)).hasSize(10);
    }
}
