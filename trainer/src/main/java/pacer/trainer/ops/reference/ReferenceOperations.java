package pacer.trainer.ops.reference;

/**
 * The specification of {@link pacer.trainer.ops.Operations}: each operation reads its inputs as doubles, does what its formula says, and
 * rounds once when it stores. Being a copy, what is read is the state before the call, so in-place use needs no care.
 * Beyond shapes it checks contents too: token numbers, targets, first keys.
 */
record ReferenceOperations(ReferenceDevice device)
        implements ReferenceEmbedding,
                ReferenceNorms,
                ReferencePositions,
                ReferenceProducts,
                ReferenceAttention,
                ReferenceElements,
                ReferenceMixes,
                ReferenceLosses,
                ReferenceOptimizers,
                ReferenceFactored,
                ReferenceMuon {}
