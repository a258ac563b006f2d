package pacer.workflows;

import io.temporal.activity.ActivityOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Preparation;
import pacer.activities.dataset.Preparation.BroughtFile;
import pacer.activities.dataset.Preparation.DivideRequest;
import pacer.activities.dataset.Preparation.Division;
import pacer.activities.dataset.Preparation.FileRequest;
import pacer.activities.dataset.Preparation.FinishRequest;
import pacer.activities.dataset.Preparation.JoinRequest;
import pacer.activities.dataset.Preparation.PartRequest;
import pacer.activities.dataset.Preparation.Piece;
import pacer.activities.dataset.PreparationActivity;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.PreparationRequest;
import pacer.activities.run.Progress;
import pacer.trainer.text.ShardPlan;
import pacer.trainer.text.Tokenization.Shard;

/** Many activities over as many hosts as there are; what each may take: {@link Policies}. */
public final class PrepareDatasetImpl implements PrepareDataset {
    /** Type of the failure of a step that nobody took. */
    static final String NOBODY = "NoWorker";

    private final Policies policies;
    private final PreparationLedger ledger = new PreparationLedger();
    private String host; // the only one with the raw file; null where that is not so

    PrepareDatasetImpl(Policies policies) {
        this.policies = policies;
    }

    @Override
    public DatasetResult prepare(PreparationRequest request) {
        try {
            DatasetResult result =
                    find(request != null ? request : new PreparationRequest(null, null, null, null, null, null, null));
            ledger.finished(result);
            return result;
        } catch (ActivityFailure e) {
            if (Patience.neverBegun(e)) {
                throw ApplicationFailure.newNonRetryableFailureWithCause(
                        "%s: no worker took it within %d min; start one of role host%s"
                                .formatted(e.getActivityType(), Policies.FOR_ITS_HOST.toMinutes(), on()),
                        NOBODY,
                        e);
            }
            throw TrainPipelineImpl.inItsOwnWords(e);
        }
    }

    private String on() {
        return host == null ? "" : " on " + host + ", which has the files";
    }

    private DatasetResult find(PreparationRequest request) {
        host = request.host();
        Preparation preparation = ledger.step(
                "find", () -> activity(policies.naming(request.host())).find(request));
        ledger.found(preparation);
        host = preparation.bound() ? preparation.host() : null;
        if (preparation.ready() != null) {
            return preparation.ready();
        }
        if (!Workflow.getInfo().getWorkflowId().equals(PrepareDataset.id(preparation.hash()))) {
            return ledger.step(
                    "wait", () -> activity(policies.awaiting(preparation)).await(preparation));
        }
        if (preparation.files() > 0) {
            return fromCatalogue(preparation);
        }
        try {
            return fromText(preparation);
        } catch (ActivityFailure e) {
            if (e.getCause() instanceof ApplicationFailure failure
                    && failure.getType().equals(ActivityStage.BAD_INPUT)) {
                drop(preparation);
            }
            throw e;
        }
    }

    /** Parts of a text that nobody will go on with; those of one that can be gone on with stay. */
    private void drop(Preparation preparation) {
        try {
            activity(policies.dropping()).drop(preparation);
        } catch (ActivityFailure e) {
            Workflow.getLogger(PrepareDatasetImpl.class)
                    .warn("parts are left in the store", e); // the reason why it failed is worth more
        }
    }

    private DatasetResult fromCatalogue(Preparation preparation) {
        int count = preparation.files();
        List<BroughtFile> files = ledger.step(
                "bring",
                count,
                0,
                () -> all(count, preparation.parallel(), i -> {
                    BroughtFile file =
                            activity(policies.bringing(preparation, i)).bring(new FileRequest(preparation, i));
                    ledger.partDone(file.bytes());
                    return file;
                }));
        List<Shard> shards =
                files.stream().flatMap(file -> file.shards().stream()).toList();
        return finish(new FinishRequest(preparation, null, files, shards));
    }

    private DatasetResult fromText(Preparation preparation) {
        Division division = ledger.step(
                "divide", () -> activity(policies.dividing(preparation)).divide(new DivideRequest(preparation)));
        if (division.ready() != null) {
            return division.ready();
        }
        int count = division.parts();
        List<Piece> pieces = ledger.step(
                "tokenize",
                count,
                division.bytes(),
                () -> all(count, preparation.parallel(), i -> {
                    Piece piece = activity(policies.tokenizing(i, count))
                            .tokenize(new PartRequest(preparation, division.plan(), i));
                    ledger.partDone(piece.to() - piece.from());
                    return piece;
                }));
        List<ShardPlan> plans = ShardPlan.of(
                pieces.stream().map(Piece::split).toList(),
                pieces.stream().map(Piece::tokens).toList(),
                division.shardTokens());
        List<Shard> shards = ledger.step(
                "join",
                plans.size(),
                plans.stream().mapToLong(plan -> 2 * plan.tokens()).sum(),
                () -> all(plans.size(), preparation.parallel(), i -> {
                    ShardPlan plan = plans.get(i);
                    Shard shard = activity(policies.joining(plan))
                            .join(new JoinRequest(
                                    preparation,
                                    plan,
                                    plan.slices().stream()
                                            .map(slice -> pieces.get(slice.part()))
                                            .toList()));
                    ledger.partDone(2 * shard.tokens());
                    return shard;
                }));
        return finish(new FinishRequest(preparation, division.plan(), List.of(), shards));
    }

    private DatasetResult finish(FinishRequest request) {
        return ledger.step("finish", () -> activity(policies.finishing()).finish(request));
    }

    private static PreparationActivity activity(ActivityOptions options) {
        return Workflow.newActivityStub(PreparationActivity.class, options);
    }

    /** What {@code work} gives for each number below {@code count}, {@code parallel} at a time. When one fails, the others are stopped. */
    private static <T> List<T> all(int count, int parallel, IntFunction<T> work) {
        List<T> results = new ArrayList<>(Collections.nCopies(count, null));
        List<Promise<Void>> lanes = new ArrayList<>();
        int[] next = {0};
        CancellationScope scope = Workflow.newCancellationScope(() -> {
            for (int lane = 0; lane < Math.min(parallel, count); lane++) {
                lanes.add(Async.procedure(() -> {
                    while (next[0] < count) {
                        int index = next[0]++;
                        results.set(index, work.apply(index));
                    }
                }));
            }
        });
        scope.run();
        try {
            Promise.allOf(lanes).get();
        } catch (RuntimeException e) {
            next[0] = count;
            scope.cancel("another part failed");
            lanes.forEach(lane -> {
                RuntimeException _ = lane.getFailure(); // waits until it has stopped
            });
            throw e;
        }
        return results;
    }

    @Override
    public PreparationProgress progress() {
        return ledger.progress();
    }

    @Override
    public void advanced(Progress progress) {
        ledger.advanced(progress);
    }
}
