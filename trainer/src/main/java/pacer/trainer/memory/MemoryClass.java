package pacer.trainer.memory;

import java.util.HashMap;
import java.util.Map;

/** What memory is taken for, in the order in which a plan lists it. */
public enum MemoryClass {
    /** Those that products take; in mixed precision a copy. */
    PARAMETERS("parameters"),
    /** Those that the optimizer updates, where products take a copy in bf16. */
    MASTERS("fp32 masters"),
    GRADIENTS("gradients"),
    /** What update rules keep from step to step. */
    OPTIMIZER("optimizer state"),
    /** What they need within a step. */
    OPTIMIZER_WORK("optimizer workspace"),
    /** Residual streams, embeddings, value embeddings. */
    STREAM("activations: residual stream"),
    ATTENTION("activations: attention"),
    FEED_FORWARD("activations: feed-forward"),
    /** Statistics of norms, and what they give. */
    NORMS("activations: norms"),
    /** What blocks share: gradients on their way, and what is computed anew. */
    WORKING("gradients of activations"),
    LOGITS("logits and losses"),
    ATTENTION_WORK("attention workspace"),
    /** Keys and values of a decoder that lie in no activations. */
    CACHES("KV caches"),
    /** Of samples during training. */
    DECODER("decoder of samples"),
    /** Of HellaSwag during training; its keys and values lie in activations. */
    HELLASWAG("HellaSwag"),
    /** Rotary positions, masks. */
    TABLES("tables"),
    LOADER("loader"),
    COMMUNICATION("communication buffers"),
    OTHER("other");

    private static final Map<String, MemoryClass> OF_MODELS = new HashMap<>();
    private static final Map<String, MemoryClass> OF_OPTIMIZERS = new HashMap<>();

    static {
        put(OF_MODELS, GRADIENTS, "gradients");
        put(
                OF_MODELS,
                STREAM,
                "residual",
                "residualMid",
                "mixed",
                "entry",
                "embedded",
                "embedding",
                "values",
                "dEmbedding",
                "dValues",
                "dResidual");
        put(OF_MODELS, ATTENTION, "qkv", "attending", "attended", "logSumExp", "rstd of queries", "rstd of keys");
        put(OF_MODELS, FEED_FORWARD, "hidden", "activated");
        put(OF_MODELS, NORMS, "normed", "mean", "rstd", "meanEmbedding", "rstdEmbedding");
        put(
                OF_MODELS,
                WORKING,
                "dNormed",
                "dHidden",
                "dHiddenProduct",
                "dAttending",
                "dQkv",
                "branch",
                "dBranchProduct",
                "valueScale",
                "dValueScale",
                "normedShared",
                "activatedShared");
        put(OF_MODELS, LOGITS, "logits", "dLogitsProduct", "losses");
        put(OF_MODELS, TABLES, "cosines", "sines", "firstKey");
        put(OF_MODELS, LOADER, "tokens", "targets");
        put(OF_OPTIMIZERS, OPTIMIZER, "exp_avg", "exp_avg_sq", "exp_avg_sq_row", "exp_avg_sq_col", "momentum_buffer");
        put(
                OF_OPTIMIZERS,
                OPTIMIZER_WORK,
                "orthogonal",
                "orthogonalProduct",
                "gram",
                "gramProduct",
                "gramSquare",
                "polynomial",
                "turned");
    }

    private final String text;

    MemoryClass(String text) {
        this.text = text;
    }

    private static void put(Map<String, MemoryClass> of, MemoryClass kind, String... names) {
        for (String name : names) {
            of.put(name, kind);
        }
    }

    /** As people call it. */
    public String text() {
        return text;
    }

    /** Of a model's tensor; {@code copied} where products take a copy of the weights. */
    static MemoryClass ofModel(String name, boolean copied) {
        return switch (name) {
            case "weights" -> copied ? MASTERS : PARAMETERS;
            case "products" -> PARAMETERS;
            default -> OF_MODELS.getOrDefault(family(name), OTHER);
        };
    }

    static MemoryClass ofOptimizer(String name) {
        return OF_OPTIMIZERS.getOrDefault(name, OTHER);
    }

    static MemoryClass ofDecoder(String name) {
        return name.startsWith("cache") ? CACHES : DECODER;
    }

    /** The name without the number of a layer, table or place. */
    static String family(String name) {
        return name.replaceFirst("\\d+$", "");
    }
}
