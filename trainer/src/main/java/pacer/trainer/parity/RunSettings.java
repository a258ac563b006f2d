package pacer.trainer.parity;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.optim.Schedule;
import pacer.trainer.spec.AttentionSpec;
import pacer.trainer.spec.AttentionSpec.Positions;
import pacer.trainer.spec.AttentionSpec.Values;
import pacer.trainer.spec.AttentionSpec.WindowKind;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.ModelSpec.Initial;
import pacer.trainer.spec.ModelSpec.Norm;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.ScheduleSpec;
import pacer.trainer.spec.StreamSpec;

/**
 * What a trace of kind {@code run} says of its training, in our terms.
 *
 * @param clip norm that gradients are clipped to; 0: none
 * @param windows tokens that a position sees, step by step; empty: all
 * @param largeRates whether rates are as large as the speedrun's
 */
record RunSettings(
        ModelSpec model,
        OptimizerSpec optimizer,
        Schedule schedule,
        double clip,
        List<Integer> windows,
        boolean largeRates) {

    private static final String SPEEDRUN = "modded-nanogpt-record18";

    /** What PyTorch's norms add to a mean square in fp32 where they are given nothing. */
    private static final double FLOAT_EPSILON = 0x1p-23;

    static RunSettings of(TraceJson trace) throws IOException {
        trace.require("/training/precision", "fp32");
        String family = trace.text("/model/family");
        return switch (family) {
            case "gpt2" -> gpt2(trace);
            case SPEEDRUN -> speedrun(trace);
            default ->
                throw new InvalidFileException(
                        trace.file(),
                        "/model/family",
                        "\"" + family + "\"; known are \"gpt2\" and \"" + SPEEDRUN + "\"");
        };
    }

    private static RunSettings gpt2(TraceJson trace) throws IOException {
        trace.require("/model/norm", "layernorm");
        if (trace.number("/model/dropout") != 0) {
            throw new InvalidFileException(
                    trace.file(), "/model/dropout", "other frameworks' dropout cannot be replayed");
        }
        String activation = trace.text("/model/activation");
        ModelSpec model = ModelSpec.gpt2(
                trace.integer("/model/n_layer"),
                trace.integer("/model/n_head"),
                trace.integer("/model/n_embd"),
                trace.integer("/model/block_size"),
                trace.integer("/model/vocab_size"),
                trace.flag("/model/bias"),
                switch (activation) {
                    case "gelu_erf" -> Activation.GELU_ERF;
                    case "gelu_tanh" -> Activation.GELU_TANH;
                    default ->
                        throw new InvalidFileException(
                                trace.file(),
                                "/model/activation",
                                "\"" + activation + "\"; known are \"gelu_erf\" and \"gelu_tanh\"");
                },
                trace.number("/model/norm_eps"),
                0,
                trace.flag("/model/tied_head"));
        trace.require("/training/schedule/type", "constant");
        requireOptimizers(trace, 1);
        String o = "/training/optimizers/0";
        trace.require(o + "/type", "adamw");
        trace.require(o + "/params", "all");
        OptimizerSpec optimizer = OptimizerSpec.adamW(
                trace.number(o + "/lr"),
                trace.number(o + "/betas/0"),
                trace.number(o + "/betas/1"),
                trace.number(o + "/eps"),
                trace.number(o + "/weight_decay"));
        Schedule schedule = new Schedule(ScheduleSpec.Type.CONSTANT, optimizer.learningRate(), 0, 0, 1, 1);
        return new RunSettings(model, optimizer, schedule, trace.number("/training/grad_clip"), List.of(), false);
    }

    private static void requireOptimizers(TraceJson trace, int count) throws IOException {
        if (trace.at("/training/optimizers").size() != count) {
            throw new InvalidFileException(
                    trace.file(), "/training/optimizers", count + (count == 1 ? " is" : " are") + " expected");
        }
    }

    /** The 18th record of modded-nanogpt at any size; what the family does not leave open is as there. */
    private static RunSettings speedrun(TraceJson trace) throws IOException {
        int block = trace.integer("/training/attention_block");
        ModelSpec model = new ModelSpec(
                trace.integer("/model/num_layers"),
                trace.integer("/model/num_heads"),
                trace.integer("/model/model_dim"),
                trace.integer("/training/sequence_length"),
                trace.integer("/model/vocab_size"),
                false,
                Activation.RELU_SQUARED,
                FLOAT_EPSILON,
                0,
                false,
                Norm.RMS_NORM,
                true,
                trace.number("/model/softcap"),
                Initial.TORCH_ZERO,
                new AttentionSpec(
                        Positions.ROTARY_HALF,
                        1024,
                        true,
                        Values.TABLES_ENDS,
                        1,
                        7,
                        trace.integer("/model/eot_token"),
                        block,
                        0,
                        block,
                        WindowKind.BLOCKS,
                        block),
                new StreamSpec(true, true));
        OptimizerSpec optimizer = muon(trace);
        trace.require("/training/schedule/type", "stable_then_linear_decay");
        Schedule schedule = new Schedule(
                ScheduleSpec.Type.LINEAR,
                optimizer.learningRate(),
                0,
                0,
                trace.integer("/training/schedule/steps"),
                trace.number("/training/schedule/cooldown_frac"));
        List<Integer> windows = new ArrayList<>();
        for (JsonNode blocks : trace.at("/training/window_blocks")) {
            windows.add(Math.multiplyExact(blocks.asInt(), block));
        }
        return new RunSettings(model, optimizer, schedule, 0, windows, true);
    }

    private static OptimizerSpec muon(TraceJson trace) throws IOException {
        String o = "/training/optimizers/";
        requireOptimizers(trace, 4);
        for (int i = 0; i < 3; i++) {
            trace.require(o + i + "/type", "adam");
            for (String same : List.of("/betas/0", "/betas/1", "/eps")) {
                if (trace.number(o + i + same) != trace.number(o + 0 + same)) {
                    throw new InvalidFileException(
                            trace.file(), o + i + same, "is another than the first group's; one is expected for all");
                }
            }
        }
        trace.require(o + "0/params/0", "embed");
        trace.require(o + "0/params/1", "value_embeds");
        trace.require(o + "1/params/0", "lm_head");
        trace.require(o + "2/params/0", "scalars: skip weights, lambdas");
        trace.require(o + "3/type", "muon");
        trace.require(o + "3/momentum", "0.85 + 0.1 * min(step / 300, 1)");
        trace.require(o + "3/ns_dtype", "fp32");
        trace.require(o + "3/scale", "sqrt(max(1, rows / cols))");
        return new OptimizerSpec(
                OptimizerSpec.Type.MUON,
                trace.number(o + "3/lr"),
                trace.number(o + "0/betas/0"),
                trace.number(o + "0/betas/1"),
                trace.number(o + "0/eps"),
                0,
                trace.number(o + "0/lr"),
                trace.number(o + "1/lr"),
                trace.number(o + "2/lr"),
                0.95,
                0.85,
                300,
                OptimizerSpec.Momentum.MEAN,
                OptimizerSpec.UpdateScale.TALLER,
                false);
    }
}
