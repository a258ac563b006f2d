package pacer.workflows.metrics;

import java.util.Map;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.AttentionSpec;
import pacer.trainer.spec.AttentionSpec.Positions;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.TrainSpec;

/** Model FLOP/s of a training beside what its devices could do at best (MFU). */
final class Utilization {
    /** Dense bf16 FLOP/s by the makers' data sheets, by what a device's name contains. CPUs have no such number worth the name. */
    private static final Map<String, Double> PEAKS =
            Map.of("H100", 989.4e12, "H200", 989.4e12, "A100", 312e12, "RTX 4090", 165.2e12);

    private Utilization() {}

    /** From 0 to 1; null where the devices' peak is not known. */
    static Double of(RunSpec spec, TrainingEvent.Started started, Double tokensPerSecond) {
        Double peak = spec.train().precision() == TrainSpec.Precision.BF16 ? peak(started.device()) : null;
        return peak == null || tokensPerSecond == null
                ? null
                : flopsPerToken(spec.model(), started.parameters()) * tokensPerSecond / (peak * started.ranks());
    }

    private static Double peak(String device) {
        return PEAKS.entrySet().stream()
                .filter(known -> device.contains(known.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(null);
    }

    /** As nanoGPT counts (PaLM, appendix B): embeddings that are no head multiply nothing; attention's products come on top. */
    static double flopsPerToken(ModelSpec model, long parameters) {
        AttentionSpec attention = model.attention();
        long looked = (long) model.vocabulary() * (model.valueTables() + (model.tiedHead() ? 0 : 1))
                + (attention.positions() == Positions.LEARNED ? model.sequenceLength() : 0);
        long multiplied = parameters - looked * model.width();
        int layers = model.layers() - (attention.leftOut() >= 0 ? 1 : 0);
        int seen =
                attention.window() == 0 ? model.sequenceLength() : Math.min(attention.window(), model.sequenceLength());
        return 6.0 * multiplied + 12.0 * layers * model.width() * seen;
    }
}
