using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>What training minimises; each is a scalar, the mean over the batch.</summary>
public static class Losses
{
    /// <summary>
    /// The weighted sum of every exit's cross-entropy H with the labels (Teerapittayanon et al., BranchyNet, 2016, equation 1):
    /// sum over exits of w_n H(exit n).
    /// </summary>
    public static Tensor Joint(Tensor[] exits, Tensor truth, IReadOnlyList<double> weights)
    {
        var loss = nn.functional.cross_entropy(exits[0], truth) * weights[0];
        for (var exit = 1; exit < exits.Length; exit++) loss += nn.functional.cross_entropy(exits[exit], truth) * weights[exit];
        return loss;
    }

    /// <summary>
    /// As <see cref="Joint"/>, but early exits also learn from the final one (Zhang et al., Be your own teacher, ICCV 2019, without its
    /// hints): w_n ((1 - a) H(exit n) + a KL(final || exit n)).
    /// </summary>
    /// <param name="exits">Logits [N, classes], the final exit's last.</param>
    /// <param name="truth">Labels [N].</param>
    /// <param name="weights">One an exit.</param>
    /// <param name="share">a: how much of an early exit's loss is to imitate the final exit.</param>
    /// <param name="temperature">Of the imitation.</param>
    public static Tensor SelfDistilled(Tensor[] exits, Tensor truth, IReadOnlyList<double> weights, double share, double temperature)
    {
        var loss = nn.functional.cross_entropy(exits[^1], truth) * weights[^1];
        var teacher = exits[^1].detach();
        for (var exit = 0; exit < exits.Length - 1; exit++)
            loss += Distilled(exits[exit], teacher, truth, share, temperature) * weights[exit];
        return loss;
    }

    /// <summary>(1 - a) H(student) + a t^2 KL(teacher || student) (Hinton, Vinyals and Dean, 2015).</summary>
    public static Tensor Distilled(Tensor student, Tensor teacher, Tensor truth, double share, double temperature) =>
        nn.functional.cross_entropy(student, truth) * (1 - share) + Imitation(student, teacher, temperature) * share;

    /// <summary>t^2 KL(softmax(teacher / t) || softmax(student / t)); t^2 keeps its gradients on the labels' scale.</summary>
    public static Tensor Imitation(Tensor student, Tensor teacher, double t)
    {
        var target = nn.functional.log_softmax(teacher / t, 1);
        var divergence = (target.exp() * (target - nn.functional.log_softmax(student / t, 1))).sum(1).mean();
        return divergence * (t * t);
    }
}
