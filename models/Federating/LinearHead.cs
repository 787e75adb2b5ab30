namespace Fleet.Models.Federating;

/// <summary>Features with labels, row by row.</summary>
/// <param name="Features">[rows x width].</param>
/// <param name="Labels">0 to classes - 1, one a row.</param>
public sealed record FeatureSet(float[] Features, int[] Labels, int Width)
{
    public int Rows => Labels.Length;

    public ReadOnlySpan<float> Row(int i) => Features.AsSpan(i * Width, Width);

    /// <summary>The rows of given numbers, in their order.</summary>
    public FeatureSet Take(IReadOnlyList<int> rows)
    {
        var features = new float[rows.Count * Width];
        for (var i = 0; i < rows.Count; i++) Row(rows[i]).CopyTo(features.AsSpan(i * Width));
        return new FeatureSet(features, [.. rows.Select(row => Labels[row])], Width);
    }
}

/// <summary>
/// A linear exit head on frozen features: softmax regression, trained by plain gradient descent on the cross-entropy. Small enough to learn on the device
/// that holds the stages before it.
/// </summary>
public sealed class LinearHead(int width, int classes)
{
    // Weights class by class, then one bias a class.
    private readonly float[] parameters = new float[classes * (width + 1)];

    /// <summary>[classes x width] weights, then [classes] biases.</summary>
    public ReadOnlySpan<float> Parameters => parameters;

    public int Classes => classes;

    /// <summary>Bytes of an update: one byte a parameter and a scale a class, as int8.</summary>
    public int UpdateBytes => parameters.Length + sizeof(float) * classes;

    public void Set(ReadOnlySpan<float> from) => from.CopyTo(parameters);

    /// <summary>Whole passes of full-batch descent: w -= rate (gradient of the mean cross-entropy + decay w).</summary>
    public void Train(FeatureSet samples, int passes, double rate, double decay = 1e-4)
    {
        var gradient = new double[parameters.Length];
        Span<double> p = stackalloc double[classes];
        for (var pass = 0; pass < passes && samples.Rows > 0; pass++)
        {
            Array.Clear(gradient);
            for (var row = 0; row < samples.Rows; row++)
            {
                var x = samples.Row(row);
                Probabilities(x, p);
                p[samples.Labels[row]] -= 1;
                for (var c = 0; c < classes; c++)
                {
                    for (var i = 0; i < x.Length; i++) gradient[c * width + i] += p[c] * x[i];
                    gradient[classes * width + c] += p[c];
                }
            }
            for (var i = 0; i < parameters.Length; i++) parameters[i] -= (float)(rate * (gradient[i] / samples.Rows + decay * parameters[i]));
        }
    }

    public double Accuracy(FeatureSet samples)
    {
        var right = 0;
        Span<double> p = stackalloc double[classes];
        for (var row = 0; row < samples.Rows; row++)
        {
            Probabilities(samples.Row(row), p);
            var best = 0;
            for (var c = 1; c < classes; c++)
                if (p[c] > p[best]) best = c;
            if (best == samples.Labels[row]) right++;
        }
        return samples.Rows == 0 ? 0 : (double)right / samples.Rows;
    }

    /// <summary>Softmax of one row of features.</summary>
    public void Probabilities(ReadOnlySpan<float> x, Span<double> p)
    {
        var max = double.NegativeInfinity;
        for (var c = 0; c < classes; c++)
        {
            double logit = parameters[classes * width + c];
            for (var i = 0; i < x.Length; i++) logit += parameters[c * width + i] * x[i];
            p[c] = logit;
            max = Math.Max(max, logit);
        }
        var sum = 0.0;
        for (var c = 0; c < classes; c++) sum += p[c] = Math.Exp(p[c] - max);
        for (var c = 0; c < classes; c++) p[c] /= sum;
    }
}

/// <summary>Federated averaging (McMahan et al., AISTATS 2017): each member trains from the common head on its own samples, and the common head becomes the mean, weighed by samples.</summary>
public static class FedAvg
{
    /// <summary>One round.</summary>
    /// <param name="received">Whether a member's update arrived; those lost are left out.</param>
    public static void Round(LinearHead common, IReadOnlyList<FeatureSet> members, IReadOnlyList<bool> received, int passes, double rate)
    {
        var sum = new double[common.Parameters.Length];
        var weight = 0.0;
        for (var member = 0; member < members.Count; member++)
        {
            if (!received[member] || members[member].Rows == 0) continue;
            var local = new LinearHead(members[member].Width, common.Classes);
            local.Set(common.Parameters);
            local.Train(members[member], passes, rate);
            weight += members[member].Rows;
            for (var i = 0; i < sum.Length; i++) sum[i] += members[member].Rows * (double)local.Parameters[i];
        }
        if (weight > 0) common.Set(Array.ConvertAll(sum, value => (float)(value / weight)));
    }
}
