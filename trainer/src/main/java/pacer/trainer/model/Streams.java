package pacer.trainer.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.AttentionSpec.Values;
import pacer.trainer.spec.ModelSpec;

/** What flows from layer to layer in a forward pass. */
record Streams(
        Tensor embedded, // (B, T, C) embeddings before their norm; the stream where they have none
        Normalization.Statistics statistics, // of that norm; null where there is none
        List<Tensor> residual, // layers + 1 of (B, T, C); without training the same, but where a skip begins
        Tensor embedding, // (B, T, C) the stream as it began; null where no block mixes it in
        List<Tensor> values) { // value embeddings, or the first layer's values, (B, T, C) each

    static Streams allocate(ModelSpec model, Device device, boolean training, int b, int t) {
        int c = model.width();
        List<Tensor> residual = new ArrayList<>();
        for (int layer = 0; layer <= model.layers(); layer++) {
            boolean own = training || layer == 0 || (model.stream().skips() && layer <= model.layers() / 2);
            residual.add(own ? device.allocate("residual" + layer, DType.F32, b, t, c) : residual.getLast());
        }
        List<Tensor> values = tables(model, device, "values", b, t);
        boolean normed = model.embeddingNorm();
        return new Streams(
                normed ? device.allocate("embedded", DType.F32, b, t, c) : residual.getFirst(),
                normed ? Normalization.Statistics.allocate(model, device, "Embedding", b, t) : null,
                residual,
                !model.stream().embedding()
                        ? null
                        : training ? residual.getFirst() : device.allocate("embedding", DType.F32, b, t, c),
                values);
    }

    /** For each table of value embeddings a tensor (B, T, C), or one for the values of the first layer. */
    static List<Tensor> tables(ModelSpec model, Device device, String name, int b, int t) {
        int count = model.attention().values() == Values.FIRST_LAYER ? 1 : model.valueTables();
        return IntStream.range(0, count)
                .mapToObj(table -> device.allocate(name + table, DType.F32, b, t, model.width()))
                .toList();
    }

    /** Rows for {@code b} sequences of {@code t} positions. */
    Streams first(int b, int t) {
        List<Tensor> rows = new ArrayList<>();
        for (int layer = 0; layer < residual.size(); layer++) {
            boolean same = layer > 0 && residual.get(layer) == residual.get(layer - 1);
            rows.add(same ? rows.getLast() : first(residual.get(layer), b, t));
        }
        return new Streams(
                embedded == residual.getFirst() ? rows.getFirst() : first(embedded, b, t),
                statistics == null ? null : statistics.first(b, t),
                rows,
                embedding == null ? null : first(embedding, b, t),
                values.stream().map(each -> first(each, b, t)).toList());
    }

    private static Tensor first(Tensor all, int b, int t) {
        return all.slice(all.name(), 0, b, t, all.columns());
    }
}
