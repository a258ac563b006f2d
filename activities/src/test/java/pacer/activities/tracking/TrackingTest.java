package pacer.activities.tracking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.Home;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StoppedException;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.run.Verdict;
import pacer.activities.tracking.DroppingProxy.Fate;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.SpecLoader;

/** Against a real server, some of the time through a proxy that loses answers. */
@Timeout(120)
class TrackingTest {
    @RegisterExtension
    static final MlflowForTests MLFLOW = new MlflowForTests();

    @TempDir
    private Path place;

    private final TestStage context = new TestStage();
    private Home home;
    private RunFolder folder;
    private EventsForTests events;

    @BeforeEach
    void open() throws IOException {
        home = TestRuns.home(place);
        folder = newRun();
        events = new EventsForTests(folder);
    }

    private RunFolder newRun(Object... settings) throws IOException {
        Path text = TestRuns.text(place.resolve("text.txt"), 1);
        RunFolder made =
                home.run(TestRuns.open(home, new RunHub(), text, settings).run());
        TestRuns.stage(
                made,
                Stage.DATASET,
                new DatasetResult(
                        "ab".repeat(32),
                        "file:text.txt",
                        "cd".repeat(32),
                        1000,
                        DatasetSpec.Tokenizer.CHARACTERS,
                        40,
                        900,
                        100,
                        2,
                        false));
        return made;
    }

    private static Tracking tracking() {
        return tracking(MLFLOW.uri());
    }

    private static Tracking tracking(URI server) {
        return new Tracking(Clock.systemUTC(), MLFLOW.settings(server));
    }

    private void end(RunStatus status) throws IOException {
        TestRuns.runs(home, new RunHub())
                .close(new RunEnding(folder.id(), status, status == RunStatus.FINISHED ? null : "for a reason"));
    }

    private String validationData = "ef".repeat(32);

    private void finish(double loss) throws IOException {
        finish(30, loss);
    }

    private void finish(int step, double loss) throws IOException {
        String checkpoint = "step-0000" + step;
        Path weights = folder.checkpoints().resolve(checkpoint).resolve("model.safetensors");
        Files.createDirectories(weights.getParent());
        Files.writeString(weights, "weights of " + folder.id() + (step == 30 ? "" : " at " + step));
        Files.createDirectories(folder.samples());
        Files.writeString(folder.samples().resolve("final-1.txt"), "It was");
        TestRuns.stage(
                folder,
                Stage.EVALUATE,
                new EvaluationResult("checkpoints/" + checkpoint, step, loss, 100, 1, validationData, null, null));
        folder.update(r -> r.judged(new Verdict(true, loss, 2.0, "passed: val loss " + loss)));
        end(RunStatus.FINISHED);
    }

    private final List<String> pages = new CopyOnWriteArrayList<>();

    private <T> FutureTask<T> beside(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofVirtual().start(task);
        return task;
    }

    private FutureTask<TrackingResult> follow(URI server) {
        return beside(() -> tracking(server)
                .follow(home, TrackingRequest.of(folder.id()), context, (record, page) -> pages.add(page)));
    }

    private JsonNode onlyRun() throws Exception {
        List<JsonNode> runs = MLFLOW.runs(folder.id());
        assertThat(runs).hasSize(1);
        return runs.getFirst();
    }

    private void assertEverythingOnce() throws Exception {
        String run = onlyRun().path("info").path("run_id").asText();
        assertThat(events.losses()).isNotEmpty();
        assertThat(MLFLOW.points(run, "train/loss")).containsExactlyInAnyOrderElementsOf(events.losses());
        assertThat(MLFLOW.points(run, "train/gradient_norm")).hasSameSizeAs(events.losses());
        assertThat(MLFLOW.points(run, "validation/loss")).containsExactlyInAnyOrderElementsOf(events.validations());
    }

    private static Map<String, String> pairs(JsonNode list) {
        Map<String, String> pairs = new HashMap<>();
        list.forEach(
                one -> pairs.put(one.path("key").asText(), one.path("value").asText()));
        return pairs;
    }

    /** Its level at the first step and the last, once each, however often it is sent. */
    @Test
    void aReferenceIsALineBesideTheValidationLoss() throws Exception {
        folder = newRun("expectation.referenceLoss", 1.68, "expectation.source", "somebody");
        events = new EventsForTests(folder);
        events.launch(1, 30);
        finish(1.5);
        tracking().publish(folder, context);
        Files.delete(folder.path().resolve("tracking.json"));
        tracking().publish(folder, context);

        String run = onlyRun().path("info").path("run_id").asText();
        long time = folder.read().created().toEpochMilli();
        int last = SpecLoader.read(folder.preset()).train().steps();
        assertThat(MLFLOW.points(run, "validation/reference_loss"))
                .containsExactlyInAnyOrder("0@%d=1.68".formatted(time), "%d@%d=1.68".formatted(last, time));
    }

    @Test
    void aFinishedRunIsThereWhole() throws Exception {
        events.launch(1, 30);
        finish(1.5);
        TrackingResult sent = tracking().publish(folder, context);

        assertEverythingOnce();
        JsonNode run = onlyRun();
        assertThat(sent.url())
                .isEqualTo(MLFLOW.uri() + "/#/experiments/"
                        + run.path("info").path("experiment_id").asText() + "/runs/" + sent.mlflowRun());
        assertThat(run.path("info").path("status").asText()).isEqualTo("FINISHED");
        assertThat(run.path("info").path("end_time").asLong())
                .isEqualTo(folder.read().finished().toEpochMilli());
        assertThat(run.path("info").path("run_name").asText()).isEqualTo(folder.id());
        assertThat(pairs(run.path("data").path("params")))
                .containsEntry("model.layers", "4")
                .containsEntry("train.steps", "30");
        assertThat(pairs(run.path("data").path("tags")))
                .containsEntry("pacer.passed", "true")
                .containsEntry("pacer.verdict", "passed: val loss 1.5")
                .containsKeys("mlflow.user", "mlflow.note.content")
                .hasEntrySatisfying("pacer.workflow", link -> assertThat(link)
                        .startsWith("http://localhost:8233/namespaces/default/workflows/workflow-"));
        JsonNode dataset = run.path("inputs").path("dataset_inputs").get(0).path("dataset");
        assertThat(dataset.path("digest").asText()).isEqualTo("ab".repeat(8));

        String artifacts = run.path("info").path("artifact_uri").asText();
        assertThat(MLFLOW.artifact(artifacts, "preset.yaml")).isEqualTo(Files.readString(folder.preset()));
        assertThat(MLFLOW.artifact(artifacts, "samples/final-1.txt")).isEqualTo("It was");
        assertThat(MLFLOW.artifact(artifacts, "report.html")).isEqualTo("<p>");
        assertThat(MLFLOW.artifact(artifacts, "environment.json")).contains("\"cpu\"");

        JsonNode model = MLFLOW.get("logged-models/"
                        + run.path("outputs")
                                .path("model_outputs")
                                .get(0)
                                .path("model_id")
                                .asText())
                .path("model");
        assertThat(model.path("info").path("status").asText()).isEqualTo("LOGGED_MODEL_READY");
        assertThat(MLFLOW.artifact(model.path("info").path("artifact_uri").asText(), "model.safetensors"))
                .isEqualTo("weights of " + folder.id());
        JsonNode measured = model.path("data").path("metrics").get(0);
        assertThat(measured.path("dataset_digest").asText()).isEqualTo("ab".repeat(8));
        assertThat(measured.path("value").asDouble()).isEqualTo(1.5);
        assertThat(context.notices).isEmpty();
        assertThat(tracking().isComplete(folder)).isTrue();
    }

    @Test
    void whatAKilledFollowerLeftOfTheCursorIsGone() throws Exception {
        Path half = Files.writeString(DurableFiles.beside(folder.path().resolve("tracking.json")), "half");
        events.launch(1, 3);
        finish(1.5);
        tracking().publish(folder, context);
        assertThat(half).doesNotExist();
        assertThat(tracking().isComplete(folder)).isTrue();
    }

    @Test
    void publishingAgainChangesNothingAlsoWithoutTheCursor() throws Exception {
        events.launch(1, 30);
        finish(1.5);
        TrackingResult first = tracking().publish(folder, context);
        assertThat(tracking().publish(folder, context).points()).isZero();
        Files.delete(folder.path().resolve("tracking.json"));
        TrackingResult again = tracking().publish(folder, context);

        assertThat(again.mlflowRun()).isEqualTo(first.mlflowRun());
        assertThat(again.model()).isEqualTo(first.model());
        assertEverythingOnce();
        assertThat(onlyRun().path("outputs").path("model_outputs")).hasSize(1);
        assertThat(onlyRun().path("inputs").path("dataset_inputs")).hasSize(1);
        assertThat(versions())
                .filteredOn(v -> v.path("run_id").asText().equals(first.mlflowRun()))
                .hasSize(1);
    }

    @Test
    void whatIsFollowedLiveIsWhatIsPublishedLater() throws Exception {
        FutureTask<TrackingResult> follower = follow(MLFLOW.uri());
        TestRuns.stage(folder, Stage.TRAIN, null);
        events.launch(1, 25);
        events.write("{\"event\":\"step\",\"ti"); // torn by a kill
        Thread.sleep(700);
        events.cut(Files.readString(folder.events()).lastIndexOf('\n') + 1L);
        events.launch(21, 40); // from the checkpoint of step 20
        Thread.sleep(300);
        finish(1.5);
        String run = follower.get(30, TimeUnit.SECONDS).mlflowRun();

        assertEverythingOnce();
        assertThat(MLFLOW.points(run, "system/cpu_utilization_percentage")).isNotEmpty();
        Files.delete(folder.path().resolve("tracking.json"));
        tracking().publish(folder, context);
        assertEverythingOnce();
    }

    @Test
    void aFollowerThatIsKilledAtAnyMomentIsGoneOnWith() throws Exception {
        events.launch(1, 1200); // several pieces
        finish(1.5);
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        List<byte[]> cursors = new ArrayList<>();
        Path cursor = folder.path().resolve("tracking.json");
        AtomicReference<TestStage> life = new AtomicReference<>();
        AtomicInteger left = new AtomicInteger();
        // of the request that it dies with nobody knows what became
        try (DroppingProxy proxy = new DroppingProxy(MLFLOW.uri(), request -> {
            if (!request.endsWith("/runs/log-batch") || left.decrementAndGet() != 0) {
                return Fate.PASSES;
            }
            life.get().stop = StageContext.Stop.WORKER_SHUTDOWN;
            return random.nextBoolean() ? Fate.LOST : Fate.ANSWER_LOST;
        })) {
            Tracking tracking = tracking(proxy.uri());
            for (boolean ended = false; !ended; ) {
                assertThat(cursors).hasSizeLessThan(100);
                life.set(new TestStage());
                left.set(4 + random.nextInt(3)); // the first three tell tags and params
                try {
                    tracking.follow(
                            home, TrackingRequest.of(folder.id()), life.get(), (record, page) -> pages.add(page));
                    ended = true;
                } catch (StoppedException e) {
                    cursors.add(Files.readAllBytes(cursor));
                }
            }
            assertThat(cursors).hasSizeGreaterThan(2);
            assertEverythingOnce();
            // killed after a request and before the cursor was moved: what was sent since an earlier cursor is sent
            // again
            for (byte[] earlier : cursors) {
                Files.write(cursor, earlier);
                left.set(0);
                tracking.follow(home, TrackingRequest.of(folder.id()), context, (record, page) -> pages.add(page));
            }
            assertEverythingOnce();
        }
    }

    @Test
    void aServerThatIsKilledAgainAndAgainGetsAllOfItOnce() throws Exception {
        FutureTask<TrackingResult> follower = follow(MLFLOW.uri());
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int kill = 0; kill < 2; kill++) {
            events.launch(1 + 400 * kill, 400 * (kill + 1));
            Thread.sleep(100 + random.nextInt(1500)); // in the middle of it, likely
            MLFLOW.kill();
            Thread.sleep(random.nextInt(500));
            MLFLOW.start();
        }
        finish(1.5);
        follower.get(60, TimeUnit.SECONDS);
        assertEverythingOnce();
        assertThat(context.notices)
                .anyMatch(notice -> notice.contains("gives no answer")
                        && notice.contains(MLFLOW.uri().toString()));
        assertThat(context.notices).anyMatch(notice -> notice.contains("answers again"));
    }

    @Test
    void anAnswerThatIsLostDoublesNothing() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Set<String> seen = ConcurrentHashMap.newKeySet();
        // of each kind of request the first answer, and later ones now and then
        try (DroppingProxy proxy = new DroppingProxy(
                MLFLOW.uri(),
                request -> seen.add(request) || random.nextInt(10) == 0 ? Fate.ANSWER_LOST : Fate.PASSES)) {
            events.launch(1, 300);
            finish(1.5);
            TrackingResult sent = null;
            for (int attempt = 0; sent == null; attempt++) {
                assertThat(attempt).isLessThan(300);
                try {
                    sent = tracking(proxy.uri()).publish(folder, context);
                } catch (TrackingException e) {
                    assertThat(e.isOutage()).as(e.getMessage()).isTrue();
                }
            }
            assertThat(proxy.dropped()).isGreaterThan(10);
            assertEverythingOnce();
            assertThat(onlyRun().path("outputs").path("model_outputs")).hasSize(1);
            String run = sent.mlflowRun();
            assertThat(versions())
                    .filteredOn(v -> v.path("run_id").asText().equals(run))
                    .hasSize(1);
            assertThat(MLFLOW.points(run, "validation/final_loss")).hasSize(1);
        }
    }

    @Test
    void aRunThatIsGoneOnWithIsTheSameRun() throws Exception {
        events.launch(1, 15);
        end(RunStatus.STOPPED);
        String run = tracking()
                .follow(home, TrackingRequest.of(folder.id()), context, (record, page) -> pages.add(page))
                .mlflowRun();
        assertThat(onlyRun().path("info").path("status").asText()).isEqualTo("KILLED");
        assertThat(pairs(onlyRun().path("data").path("tags"))).containsEntry("pacer.failure", "for a reason");

        TestRuns.begun(folder, "workflow-2");
        String preset = Files.readString(folder.preset()).replace("everySteps: 10", "everySteps: 20");
        Files.writeString(folder.preset(), preset);
        FutureTask<TrackingResult> follower = follow(MLFLOW.uri());
        events.launch(11, 30);
        Thread.sleep(1000);
        assertThat(onlyRun().path("info").path("status").asText()).isEqualTo("RUNNING");
        finish(1.4);
        assertThat(follower.get(30, TimeUnit.SECONDS).mlflowRun()).isEqualTo(run);

        assertEverythingOnce();
        assertThat(onlyRun().path("info").path("status").asText()).isEqualTo("FINISHED");
        assertThat(pairs(onlyRun().path("data").path("params"))).containsEntry("checkpoint.everySteps", "10");
        assertThat(pairs(onlyRun().path("data").path("tags")))
                .doesNotContainKey("pacer.failure")
                .containsEntry("pacer.changed.checkpoint.everySteps", "20");
    }

    /** The worker reaches MLflow in a network of containers; the page is for a browser outside, also where that was named later. */
    @Test
    void aRunsPageIsWherePeopleReachTheServer() throws Exception {
        events.launch(1, 3);
        String before = tracking().publish(folder, context).url();
        assertThat(before).startsWith(MLFLOW.uri() + "/#/experiments/");
        TrackingSettings named = MLFLOW.settings(MLFLOW.uri(), URI.create("https://ml.example.com"));
        Tracking outside = new Tracking(Clock.systemUTC(), named);
        String after = outside.publish(folder, context).url();
        assertThat(after).isEqualTo(before.replace(MLFLOW.uri().toString(), "https://ml.example.com"));
        assertThat(outside.page(folder)).hasValue(after);
    }

    @Test
    void aRunThatIsTrainedFurtherComesToAnotherModel() throws Exception {
        folder = newRun("name", "trained-further");
        events = new EventsForTests(folder);
        events.launch(1, 30);
        finish(30, 1.4);
        String first = tracking()
                .follow(home, TrackingRequest.of(folder.id()), context, (record, page) -> pages.add(page))
                .model();
        TestRuns.begun(folder, "workflow-2");
        events.launch(31, 60);
        finish(60, 1.3);
        String second = tracking()
                .follow(home, TrackingRequest.of(folder.id()), context, (record, page) -> pages.add(page))
                .model();
        assertThat(List.of(first, second)).containsExactly("trained-further/1", "trained-further/2");
        assertThat(tracking().publish(folder, context).model())
                .as("and none is made twice")
                .isEqualTo(second);
    }

    @Test
    void anotherHostSendsNoStepAgainThatTheFirstOneSent() throws Exception {
        events.launch(1, 15);
        end(RunStatus.STOPPED);
        var _ = tracking().follow(home, TrackingRequest.of(folder.id()), context, (record, page) -> pages.add(page));
        assertThat(pages).singleElement().asString().contains("/runs/");
        // what the store has of the run: its events as of the last checkpoint, and no cursor
        Files.delete(folder.path().resolve("tracking.json"));
        List<String> stored = Files.readAllLines(folder.events()).stream()
                .takeWhile(line -> !line.contains("\"step\":11,"))
                .toList();
        Files.write(folder.events(), stored);
        TestRuns.begun(folder, "workflow-2");
        events.launch(11, 30);
        finish(1.4);
        var _ = tracking().follow(home, TrackingRequest.of(folder.id()), context, (record, page) -> pages.add(page));
        String run = onlyRun().path("info").path("run_id").asText();
        assertThat(MLFLOW.points(run, "train/loss")).hasSize(30);
        assertThat(MLFLOW.points(run, "train/gradient_norm")).hasSize(30);
    }

    @Test
    void theBestVersionAndTheChampionHaveTheirNames() throws Exception {
        String better = publish(1.2, false);
        String worse = publish(1.3, true);
        assertThat(alias("best")).isEqualTo(better.substring(better.indexOf('/') + 1));
        assertThat(alias("champion")).isEqualTo(worse.substring(worse.indexOf('/') + 1));
        String best = publish(1.1, false);
        assertThat(alias("best")).isEqualTo(best.substring(best.indexOf('/') + 1));
        assertThat(MLFLOW.runs("reproduction-1")).hasSize(1);
        String parent = MLFLOW.runs("reproduction-1")
                .getFirst()
                .path("info")
                .path("run_id")
                .asText();
        assertThat(pairs(onlyRun().path("data").path("tags"))).containsEntry("mlflow.parentRunId", parent);
    }

    /** A loss of 0.5 on one text is no better than 1.2 on another. */
    @Test
    void lossesOnOtherDataAreNotHeldAgainstTheBest() throws Exception {
        String model = "on-several-data";
        validationData = null; // from before it was told
        String unknown = publish(model, 0.4, false);
        assertThat(MLFLOW.get("registered-models/get", "name", model)
                        .path("registered_model")
                        .path("aliases"))
                .isEmpty();
        validationData = "aa".repeat(32);
        String first = publish(model, 1.2, false);
        assertThat(alias(model, "best")).isEqualTo(version(first)).isNotEqualTo(version(unknown));
        validationData = "bb".repeat(32);
        String other = publish(model, 0.5, false);
        assertThat(alias(model, "best")).as("another text").isEqualTo(version(first));
        validationData = "aa".repeat(32);
        String better = publish(model, 1.1, false);
        assertThat(alias(model, "best")).isEqualTo(version(better));

        MLFLOW.post("registered-models/alias", Map.of("name", model, "alias", "best", "version", version(other)));
        validationData = "bb".repeat(32);
        String still = publish(model, 0.6, false);
        assertThat(alias(model, "best"))
                .as("given by hand, it goes by that text")
                .isEqualTo(version(other));
        assertThat(version(still)).isEqualTo("5");
    }

    private static String version(String model) {
        return model.substring(model.indexOf('/') + 1);
    }

    private String publish(double loss, boolean reproduction) throws Exception {
        return publish("of-its-own", loss, reproduction);
    }

    private String publish(String name, double loss, boolean reproduction) throws Exception {
        folder = newRun("name", name);
        events = new EventsForTests(folder);
        events.launch(1, 3);
        finish(loss);
        return tracking()
                .follow(
                        home,
                        new TrackingRequest(folder.id(), "reproduction-1", reproduction),
                        context,
                        (record, page) -> pages.add(page))
                .model();
    }

    private static String alias(String name) throws Exception {
        return alias("of-its-own", name);
    }

    private static String alias(String model, String name) throws Exception {
        return MLFLOW.get("registered-models/alias", "name", model, "alias", name)
                .path("model_version")
                .path("version")
                .asText();
    }

    private static List<JsonNode> versions() throws Exception {
        List<JsonNode> all = new ArrayList<>();
        MLFLOW.get("model-versions/search", "filter", "name = 'quickstart'")
                .path("model_versions")
                .forEach(all::add);
        return all;
    }

    @Test
    void aRunWhoseMlflowRunWasDeletedGetsAnother() throws Exception {
        events.launch(1, 10);
        end(RunStatus.FAILED);
        String first = tracking().publish(folder, context).mlflowRun();
        MLFLOW.post("runs/delete", Map.of("run_id", first));
        assertThat(tracking().publish(folder, context).mlflowRun()).isNotEqualTo(first);
        assertEverythingOnce();
        assertThat(onlyRun().path("info").path("status").asText()).isEqualTo("FAILED");
    }

    @Test
    void faultsNameAddressAndRemedyAndNoSecret() throws Exception {
        events.launch(1, 3);
        Map<String, String> environment =
                Map.of("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9/", "MLFLOW_TRACKING_TOKEN", "hush");
        Tracking nobody =
                new Tracking(Clock.systemUTC(), TrackingSettings.of(environment).orElseThrow());
        assertThatThrownBy(() -> nobody.publish(folder, context))
                .isInstanceOf(TrackingException.class)
                .hasMessageContainingAll("http://127.0.0.1:9 ", "is the server up")
                .message()
                .doesNotContain("secret", "hush");
        // a server, but not MLflow's
        assertThatThrownBy(
                        () -> tracking(URI.create(MLFLOW.uri() + "/elsewhere")).publish(folder, context))
                .isInstanceOf(TrackingException.class)
                .hasMessageContainingAll("404", "MLFLOW_TRACKING_URI must be the address");
    }
}
