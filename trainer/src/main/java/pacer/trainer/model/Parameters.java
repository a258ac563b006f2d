package pacer.trainer.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * Where each parameter of a model lies in one flat tensor. One block of memory makes clipping, the optimizer, reduction over
 * lanes and ranks, and sharding one loop each. Every parameter starts on a cache line; the gaps stay zero.
 */
public final class Parameters {
    private static final int ALIGNMENT = 16;

    private final Map<String, Parameter> byName = new LinkedHashMap<>();
    private long elements;
    private long size;

    private Parameters() {}

    /** The parameters of {@code model}, under nanoGPT's names and in its order. */
    public static Parameters of(ModelSpec model) {
        Parameters p = new Parameters();
        int c = model.width();
        p.add("transformer.wte.weight", model.vocabulary(), c);
        p.add("transformer.wpe.weight", model.sequenceLength(), c);
        for (int layer = 0; layer < model.layers(); layer++) {
            String h = "transformer.h." + layer + ".";
            p.addWithBias(h + "ln_1", model.bias(), c);
            p.addWithBias(h + "attn.c_attn", model.bias(), 3 * c, c);
            p.addWithBias(h + "attn.c_proj", model.bias(), c, c);
            p.addWithBias(h + "ln_2", model.bias(), c);
            p.addWithBias(h + "mlp.c_fc", model.bias(), 4 * c, c);
            p.addWithBias(h + "mlp.c_proj", model.bias(), c, 4 * c);
        }
        p.addWithBias("transformer.ln_f", model.bias(), c);
        if (!model.tiedHead()) {
            p.add("lm_head.weight", model.vocabulary(), c);
        }
        return p;
    }

    private void addWithBias(String name, boolean bias, int... shape) {
        add(name + ".weight", shape);
        if (bias) {
            add(name + ".bias", shape[0]);
        }
    }

    private void add(String name, int... shape) {
        Parameter p = new Parameter(name, Arrays.stream(shape).boxed().toList(), elements);
        byName.put(name, p);
        size += p.size();
        elements = Math.ceilDiv(elements + p.size(), (long) ALIGNMENT) * ALIGNMENT;
    }

    public List<Parameter> all() {
        return new ArrayList<>(byName.values());
    }

    /** Elements of the flat tensor, gaps included. */
    public int elements() {
        return Math.toIntExact(elements);
    }

    /** Number of parameters, as people count them. */
    public long size() {
        return size;
    }

    /** The view of parameter {@code name} in a flat tensor; null when the model has none of that name. */
    public Tensor in(Tensor flat, String name) {
        Parameter p = byName.get(name);
        return p == null || flat == null
                ? null
                : flat.slice(
                        name,
                        p.offset(),
                        p.shape().stream().mapToInt(Integer::intValue).toArray());
    }
}
