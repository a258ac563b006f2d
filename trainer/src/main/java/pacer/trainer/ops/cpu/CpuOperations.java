package pacer.trainer.ops.cpu;

/** The vocabulary on the CPU: work is divided over the crew by rows, heads or ranges, never in a way that depends on timing. */
final class CpuOperations
        implements CpuEmbedding,
                CpuNorms,
                CpuPositions,
                CpuProducts,
                CpuAttention,
                CpuElements,
                CpuMixes,
                CpuLosses,
                CpuOptimizers,
                CpuFactored,
                CpuMuon,
                AutoCloseable {
    private final Gemm gemm;
    private final Crew crew;
    private final Scratch[] scratch;
    private final AttentionHead[] heads;

    CpuOperations(Gemm gemm, Crew crew) {
        this.gemm = gemm;
        this.crew = crew;
        this.scratch = new Scratch[crew.size()];
        this.heads = new AttentionHead[crew.size()];
        for (int m = 0; m < crew.size(); m++) {
            scratch[m] = new Scratch();
            heads[m] = new AttentionHead(scratch[m]);
        }
    }

    @Override
    public Crew crew() {
        return crew;
    }

    @Override
    public Gemm gemm() {
        return gemm;
    }

    @Override
    public Scratch scratch(int member) {
        return scratch[member];
    }

    @Override
    public AttentionHead head(int member) {
        return heads[member];
    }

    @Override
    public void close() {
        for (Scratch s : scratch) {
            s.close();
        }
    }
}
