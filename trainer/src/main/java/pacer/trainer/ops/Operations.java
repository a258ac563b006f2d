package pacer.trainer.ops;

/**
 * The vocabulary of a training step. Every model is written in these words; every device speaks them.
 *
 * <p>The scalar {@code ReferenceOperations} is the specification: a fast device must agree with it to the tolerance of
 * its arithmetic at every shape. Conventions, chosen once for CPU and GPU:
 * <ul>
 *   <li>B sequences of T tokens make {@code B*T} rows; C is the model's width, H its heads, D = C/H, V the vocabulary.
 *   <li>Linear weights are (outputs, inputs), as in PyTorch's {@code nn.Linear}.
 *   <li>Gradients of parameters are added to what is there; gradients of activations are written, unless a parameter
 *       {@code accumulate} says otherwise.
 *   <li>A tensor whose dtype may vary says so: an operation that feeds a product can write {@link DType#BF16}
 *       directly (round to nearest even), which is all that the mixed-precision mode is.
 *   <li>An optional tensor is null where the model has none (bias, position embedding).
 *   <li>A result never depends on timing: sums run in an order fixed by shapes and thread count.
 * </ul>
 */
public interface Operations {

    // ------------------------------------------------------------------ embedding

    /** out[b,t,:] = tokenEmbedding[tokens[b,t],:] + positionEmbedding[past[b] + t,:]. */
    void embeddingForward(
            Tensor out, // (B, T, C)
            Tensor tokens, // (B, T) I32
            Tensor tokenEmbedding, // (V, C)
            Tensor positionEmbedding, // (maxT, C) or null
            Tensor past); // (B) I32, positions that came before; null where none did

    /** Adds each row of dOut to the gradients of its token and its position. */
    void embeddingBackward(
            Tensor dTokenEmbedding, // (V, C) +=
            Tensor dPositionEmbedding, // (maxT, C) += or null
            Tensor dOut, // (B, T, C)
            Tensor tokens); // (B, T) I32

    // ------------------------------------------------------------------ normalisation

    /** out = (in - mean) * rstd * weight + bias over the last dimension; Ba, Kiros, Hinton 2016. */
    void layerNormForward(
            Tensor out, // (B, T, C) F32 or BF16
            Tensor mean, // (B, T)
            Tensor rstd, // (B, T)
            Tensor in, // (B, T, C)
            Tensor weight, // (C)
            Tensor bias, // (C) or null
            float epsilon);

    /** Gradients of {@link #layerNormForward}. With {@code accumulate}, dIn is added to (the residual stream's). */
    void layerNormBackward(
            Tensor dIn, // (B, T, C)
            Tensor dWeight, // (C) +=
            Tensor dBias, // (C) += or null
            Tensor dOut, // (B, T, C)
            Tensor in, // (B, T, C)
            Tensor weight, // (C)
            Tensor mean, // (B, T)
            Tensor rstd, // (B, T)
            boolean accumulate);

    /**
     * out = in / √(mean(in²) + epsilon), without weights; Zhang, Sennrich 2019. Each row is normalised in {@code heads} equal
     * parts: 1 for the residual stream, the model's heads for queries and keys. PyTorch's {@code F.rms_norm} takes
     * {@code torch.finfo(dtype).eps} where no epsilon is given: 2⁻²³ for float32. In place allowed.
     */
    void rmsNormForward(
            Tensor out, // (B, T, C) F32 or BF16
            Tensor rstd, // (B, T, heads)
            Tensor in, // (B, T, C)
            int heads,
            float epsilon);

    /** Gradient of {@link #rmsNormForward}. With {@code accumulate}, dIn is added to (the residual stream's); without, in place allowed. */
    void rmsNormBackward(
            Tensor dIn, // (B, T, C)
            Tensor dOut, // (B, T, C)
            Tensor in, // (B, T, C)
            Tensor rstd, // (B, T, heads)
            int heads,
            boolean accumulate);

    // ------------------------------------------------------------------ positions

    /**
     * Rotary positions (Su et al. 2021): in each head, elements j and j + D/2 of position t turn by the angle whose cosine and
     * sine are at [t, j] of the tables: out[j] = in[j]·cos + in[j+D/2]·sin, out[j+D/2] = in[j+D/2]·cos - in[j]·sin. In place
     * allowed. Base, truncation and rounding of angles are the tables' affair: {@link RotaryTables}. Where {@code past} is given, position t of
     * sequence b is its position past[b] + t.
     */
    void rotaryForward(
            Tensor out, // (B, T, C)
            Tensor in, // (B, T, C)
            Tensor cosines, // (maxT, D/2)
            Tensor sines, // (maxT, D/2)
            Tensor past, // (B) I32, positions that came before; null where none did
            int heads);

    /** Gradient of {@link #rotaryForward}: the turn back. In place allowed. */
    void rotaryBackward(
            Tensor dIn, // (B, T, C)
            Tensor dOut, // (B, T, C)
            Tensor cosines, // (maxT, D/2)
            Tensor sines, // (maxT, D/2)
            int heads);

    // ------------------------------------------------------------------ products

    /** out = in · weightᵀ + bias; with {@code accumulate}, added to out (the residual stream). */
    void linearForward(
            Tensor out, // (rows, N) F32
            Tensor in, // (rows, K) F32 or BF16
            Tensor weight, // (N, K) same dtype as in
            Tensor bias, // (N) or null
            boolean accumulate);

    /** dIn = dOut · weight. */
    void linearBackwardInput(
            Tensor dIn, // (rows, K) F32
            Tensor dOut, // (rows, N) F32 or BF16
            Tensor weight, // (N, K) same dtype as dOut
            boolean accumulate);

    /**
     * dWeight = dOutᵀ · in, and dBias = column sums of dOut; both are added to what is there when {@code accumulate}. Not to
     * accumulate spares large models a pass over all gradients to set them to zero and one to read the zeros.
     */
    void linearBackwardWeight(
            Tensor dWeight, // (N, K) F32
            Tensor dBias, // (N) or null
            Tensor dOut, // (rows, N) F32 or BF16
            Tensor in, // (rows, K) same dtype as dOut
            boolean accumulate);

    // ------------------------------------------------------------------ attention

    /**
     * Scaled dot-product attention of every head: softmax(q·kᵀ/√D)·v, position t seeing positions
     * {@code firstKey[b,t] … t}. {@code firstKey} null means 0 (plain causal); it never decreases along t, and so spells
     * documents, sliding windows and windows of blocks alike. Only the row-wise log-sum-exp is kept for the backward
     * pass, as in FlashAttention (Dao et al. 2022).
     *
     * @param dropout applied to the attention probabilities, with element (b·H·T + h·T + t)·T + s of its stream
     */
    void attentionForward(
            Tensor out, // (B, T, C) F32 or BF16
            Tensor logSumExp, // (B, H, T)
            Tensor q, // (B, T, C) usually columns of one tensor, like k and v
            Tensor k, // (B, T, C)
            Tensor v, // (B, T, C)
            Tensor firstKey, // (B, T) I32 or null
            int heads,
            Dropout dropout);

    /** Gradients of {@link #attentionForward}. */
    void attentionBackward(
            Tensor dQ, // (B, T, C) F32 or BF16, like dK and dV
            Tensor dK, // (B, T, C)
            Tensor dV, // (B, T, C)
            Tensor dOut, // (B, T, C)
            Tensor out, // (B, T, C) as the forward pass wrote it
            Tensor logSumExp, // (B, H, T)
            Tensor q, // (B, T, C)
            Tensor k, // (B, T, C)
            Tensor v, // (B, T, C)
            Tensor firstKey, // (B, T) I32 or null
            int heads,
            Dropout dropout);

    /**
     * Attention of a sequence that grows: new keys and values are put behind the cached ones, keys[b,h,past[b]+t,:] = k[b,t,h·D…]
     * and values likewise, and new position t, the sequence's position past[b] + t, sees positions firstKey[b,t] … past[b] + t of
     * the caches; {@code firstKey} null means 0.
     * Shapes say nothing of how long a sequence is already: caches are planned for the longest, and the count lies in device
     * memory, so that a token is the same sequence of calls each time (a GPU can replay it as a graph).
     */
    void attentionCached(
            Tensor out, // (B, T, C) F32 or BF16
            Tensor keys, // (B, H, maxT, D), rows past[b] … past[b] + T - 1 of each head are written, like those of
            // values
            Tensor values, // (B, H, maxT, D)
            Tensor q, // (B, T, C) usually columns of one tensor, like k and v
            Tensor k, // (B, T, C)
            Tensor v, // (B, T, C)
            Tensor past, // (B) I32
            Tensor firstKey, // (B, T) I32 or null
            int heads);

    // ------------------------------------------------------------------ elementwise

    /** Activation functions of the feed-forward layer. */
    enum Activation {
        /** x·Φ(x), PyTorch's {@code nn.GELU()}; Hendrycks, Gimpel 2016. */
        GELU_ERF,
        /** The tanh approximation of the same, GPT-2's {@code gelu_new}. */
        GELU_TANH,
        /** max(x, 0)²; So et al. 2021 (Primer). */
        RELU_SQUARED
    }

    /**
     * out = activation(in). Afterwards {@code in} holds whatever the device's {@link #activationBackward} wants to find there:
     * the input still, or the derivative.
     */
    void activationForward(
            Tensor out, // (n) F32 or BF16
            Tensor in, // (n) overwritten
            Activation activation);

    /** dIn = dOut · activation'(input), with {@code saved} as the forward pass left its input. In place on dOut where both are F32. */
    void activationBackward(
            Tensor dIn, // (n) F32 or BF16
            Tensor dOut, // (n)
            Tensor saved, // (n)
            Activation activation);

    /** out = dropout(in), scaled by 1/(1-p); in place allowed. Its own backward pass, applied to a gradient. */
    void dropout(Tensor out, Tensor in, Dropout dropout);

    /** out = a + b; in place allowed. */
    void add(Tensor out, Tensor a, Tensor b);

    /**
     * out = w₀·a + w₁·b, by learned numbers; without b a is scaled. Of one number λ, w₀ is 1 - λ and w₁ is λ. In place allowed.
     */
    void mixForward(
            Tensor out, // (rows, C)
            Tensor a, // (rows, C)
            Tensor b, // (rows, C) or null
            Tensor weights); // (2), or (1)

    /** Gradients of {@link #mixForward}; {@code dA} may be {@code dOut}. With {@code accumulate}, dB is added to. */
    void mixBackward(
            Tensor dA, // (rows, C)
            Tensor dB, // (rows, C); null where b is
            Tensor dWeights, // (2), or (1) +=
            Tensor dOut, // (rows, C)
            Tensor a, // (rows, C)
            Tensor b, // (rows, C) or null
            Tensor weights, // (2), or (1)
            boolean accumulate);

    /** out = in + weight·skip, a learned number. In place allowed. */
    void skipForward(
            Tensor out, // (rows, C)
            Tensor in, // (rows, C)
            Tensor skip, // (rows, C)
            Tensor weight); // (1)

    /** Gradients of {@link #skipForward} but that of {@code in}, which is dOut. With {@code accumulate}, dSkip is added to. */
    void skipBackward(
            Tensor dSkip, // (rows, C)
            Tensor dWeight, // (1) +=
            Tensor dOut, // (rows, C)
            Tensor skip, // (rows, C)
            Tensor weight, // (1)
            boolean accumulate);

    /** out = in, converting between dtypes (round to nearest even). */
    void convert(Tensor out, Tensor in);

    /** Sets every element to zero. */
    void zero(Tensor tensor);

    // ------------------------------------------------------------------ loss

    /**
     * Cross-entropy with its backward pass in one: with z = logits[i], losses[i] = -log softmax(cap(z))[targets[i]], and then
     * logits[i] = (softmax(cap(z)) - onehot(targets[i])) · cap'(z) · gradientScale. A target of -1 is ignored: loss 0,
     * gradient 0.
     *
     * @param softcap c of cap(z) = c·tanh(z/c), whose loss and gradient 2c·sigmoid(2z/c) shares; 0 leaves logits uncapped
     */
    void crossEntropy(
            Tensor losses, // (rows)
            Tensor logits, // (rows, V) F32; becomes its gradient
            Tensor targets, // (rows) I32
            float gradientScale,
            float softcap);

    /** The losses alone; logits stay as they are. */
    void crossEntropyForward(
            Tensor losses, // (rows)
            Tensor logits, // (rows, V)
            Tensor targets, // (rows) I32
            float softcap);

    // ------------------------------------------------------------------ optimizers

    /** out[i] = Σ over sources of sources[s][from..to), in the order given; the lanes' gradients become one. */
    void sum(Tensor out, Tensor[] sources, long from, long to);

    /** Sum of squares of elements [from, to) in a fixed order. NaN and infinities come through. */
    double sumOfSquares(Tensor tensor, long from, long to);

    /**
     * AdamW on elements [from, to) as {@code torch.optim.AdamW}: decay first, bias-corrected moments (Kingma, Ba 2015;
     * Loshchilov, Hutter 2019).
     *
     * @param gradientScale multiplies the gradient first (clipping)
     * @param step counts from 1
     */
    void adamW(
            Tensor weights, // (n) F32
            Tensor gradients, // (n)
            Tensor firstMoment, // (n)
            Tensor secondMoment, // (n)
            long from,
            long to,
            AdamW settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step);

    /** The constants of AdamW. */
    record AdamW(float beta1, float beta2, float epsilon) {}

    /**
     * AdamW for a matrix of which only the means of squared gradients over rows and over columns are kept, as the StripedAdamW of nanoGPT's fork
     * has it. With row and col those means, bias-corrected, and mu the mean of all R + C of them, element (i, j) is divided by
     * √((row[i] + epsilon)·(col[j] + epsilon) / (mu + epsilon)) + epsilon. Decay comes first.
     *
     * @param gradientScale multiplies the gradient first (clipping)
     * @param step counts from 1
     */
    void stripedAdamW(
            Tensor weights, // (R, C) F32
            Tensor gradients, // (R, C)
            Tensor firstMoment, // (R, C)
            Tensor rowMoment, // (R)
            Tensor columnMoment, // (C)
            AdamW settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step);

    /**
     * Adafactor without first moment (Shazeer, Stern 2018), as Hugging Face's {@code transformers.Adafactor} has it with neither relative step nor
     * scaled parameters: squares are kept by their means over rows and columns, decayed by 1 - step^decayRate, and the update is
     * scaled down to an RMS of {@code clipThreshold}.
     *
     * @param gradientScale multiplies the gradient first (clipping)
     * @param step counts from 1
     */
    void adafactor(
            Tensor weights, // (R, C) F32
            Tensor gradients, // (R, C)
            Tensor rowMoment, // (R)
            Tensor columnMoment, // (C)
            Adafactor settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step);

    /** The same for a vector, of which all squares are kept. */
    void adafactorVector(
            Tensor weights, // (n) F32
            Tensor gradients, // (n)
            Tensor secondMoment, // (n)
            Adafactor settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step);

    /**
     * The constants of Adafactor.
     *
     * @param decayRate below 0
     * @param floor added to squared gradients
     * @param clipThreshold largest RMS of an update before the learning rate
     */
    record Adafactor(double decayRate, float floor, float clipThreshold) {}

    /**
     * Nesterov momentum as Muon has it (Jordan 2024): momentum = lerp(momentum, g, 1 - factor), out = lerp(g, momentum, factor), of
     * g = gradientScale·gradients.
     */
    void nesterov(
            Tensor out, // (n) F32
            Tensor momentum, // (n)
            Tensor gradients, // (n)
            float factor,
            float gradientScale);

    /** out = in / (‖in‖ + epsilon), by the norm of all elements; in place allowed. */
    void normalize(
            Tensor out, // (n) F32 or BF16
            Tensor in, // (n) F32
            float epsilon);

    /** out = alpha·a + beta·b; in place allowed. */
    void combine(
            Tensor out, // (n) F32 or BF16
            float alpha,
            Tensor a, // (n) F32
            float beta,
            Tensor b); // (n) F32
}
