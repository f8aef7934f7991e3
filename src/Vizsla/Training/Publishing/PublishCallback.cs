namespace Vizsla.Training.Publishing;

/// <summary>Makes the repository when a run begins and pushes its saves, as <c>hub_strategy</c> says.</summary>
internal sealed class PublishCallback(HubPublisher publisher) : TrainerCallback
{
    public override void OnTrainBegin(TrainerContext context) => publisher.Prepare();

    public override void OnSave(TrainerContext context, string folder)
    {
        if (context.Arguments.HubStrategy != HubStrategy.End)
        {
            publisher.Push(context.State, Title(context), folder);
        }
    }

    private static string Title(TrainerContext context) => context.Arguments.SaveStrategy == SaveStrategy.Steps
        ? $"Training in progress, step {context.State.GlobalStep}"
        : $"Training in progress, epoch {(int)context.State.Epoch}";
}
