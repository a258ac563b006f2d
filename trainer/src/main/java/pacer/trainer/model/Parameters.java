package pacer.trainer.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.AttentionSpec.Positions;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.ModelSpec.Norm;

/**
 * Where each parameter of a model lies in one flat tensor. One block of memory makes clipping, the optimizer, reduction over
 * lanes and ranks, and sharding one loop each. Parameters start on cache lines, but those whose rows follow one another; the gaps stay zero.
 */
public final class Parameters {
    private static final int ALIGNMENT = 16;

    private final Map<String, Parameter> byName = new LinkedHashMap<>();
    private long elements;
    private long size;

    private Parameters() {}

    /** The parameters of {@code model}, under the names of the implementation that it comes from, and in its order. */
    public static Parameters of(ModelSpec model) {
        Parameters p = new Parameters();
        Names names = Names.of(model);
        int c = model.width();
        int numbers = model.attention().values().numbers();
        p.add(names.tokenEmbedding(), model.vocabulary(), c);
        if (model.attention().positions() == Positions.LEARNED) {
            p.add(names.positionEmbedding(), model.sequenceLength(), c);
        }
        for (int layer = 0; layer < model.layers(); layer++) {
            if (model.hasAttention(layer)) {
                p.addNorm(names.norm1(layer), model);
                p.addTogether(names.queriesKeysValues(layer), model);
                if (numbers > 0) {
                    p.add(names.valueMix(layer), numbers);
                }
                p.addWithBias(names.attentionProjection(layer), model.bias(), c, c);
            }
            p.addNorm(names.norm2(layer), model);
            p.addWithBias(names.up(layer), model.bias(), 4 * c, c);
            p.addWithBias(names.down(layer), model.bias(), c, 4 * c);
            if (model.stream().embedding()) {
                p.add(names.streamMix(layer), 2);
            }
        }
        for (int table = 0; table < model.valueTables(); table++) {
            p.add(names.valueEmbedding(table), model.vocabulary(), c);
        }
        p.addNorm(names.finalNorm(), model);
        if (!model.tiedHead()) {
            p.add(names.head(), model.vocabulary(), c);
        }
        if (model.stream().skips()) {
            p.add(names.skipWeights(), model.layers() - model.layers() / 2);
        }
        return p;
    }

    private void addNorm(String name, ModelSpec model) {
        if (model.norm() == Norm.LAYER_NORM) {
            addWithBias(name, model.bias(), model.width());
        }
    }

    /** Linear layers of one input whose rows follow one another, so that they are one product. */
    private void addTogether(Map<String, Integer> outputs, ModelSpec model) {
        outputs.forEach((name, rows) -> put(name + ".weight", rows, model.width()));
        align();
        if (model.bias()) {
            outputs.forEach((name, rows) -> put(name + ".bias", rows));
            align();
        }
    }

    private void addWithBias(String name, boolean bias, int... shape) {
        add(name + ".weight", shape);
        if (bias) {
            add(name + ".bias", shape[0]);
        }
    }

    private void add(String name, int... shape) {
        put(name, shape);
        align();
    }

    private void put(String name, int... shape) {
        Parameter p = new Parameter(name, Arrays.stream(shape).boxed().toList(), elements);
        byName.put(name, p);
        size += p.size();
        elements += p.size();
    }

    private void align() {
        elements = Math.ceilDiv(elements, (long) ALIGNMENT) * ALIGNMENT;
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
        return in(flat, List.of(name));
    }

    /** The view of parameters whose rows follow one another, as those of queries, keys and values; null when the model has none of the first name. */
    public Tensor in(Tensor flat, Collection<String> names) {
        return in(flat, names, "");
    }

    /** The view of parameters whose rows follow one another, each name with {@code suffix}; null when the model has none of the first name. */
    Tensor in(Tensor flat, Collection<String> names, String suffix) {
        List<Parameter> parts =
                names.stream().map(name -> byName.get(name + suffix)).toList();
        if (flat == null || parts.getFirst() == null) {
            return null;
        }
        Parameter first = parts.getFirst();
        int[] shape = first.shape().stream().mapToInt(Integer::intValue).toArray();
        shape[0] = parts.stream().mapToInt(p -> p.shape().getFirst()).sum();
        return flat.slice(first.name(), first.offset(), shape);
    }
}
