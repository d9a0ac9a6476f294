"""What callers say, labelled before the patterns were written, and no error allowed. A line of a table is one utterance."""

from collections.abc import Callable, Iterator

import pytest

from voiceagent.call import wishes
from voiceagent.call.wishes import agrees, asks_for_a_person, declines, is_upset, refuses_recording, was_misunderstood
from voiceagent.languages import LANGUAGES

Wish = Callable[[str], bool]
Table = dict[str, tuple[str, str]]

# Language → requests for a person, and other words about people.
PERSON: Table = {
    "en": (
        """
        I want a human.
        Can I talk to a real person?
        Could I please speak with someone?
        let me speak to your manager
        I'd like to talk to a human being, please!
        Give me an agent now
        get me a person
        Representative.
        Operator, please
        a real person please
        Just a human
        I need a human
        I want to speak to a customer service representative
        Thank you, now I would like to speak to a person, please.
        put me through to somebody
        Please transfer me.
        connect me with support
        is there anybody there
        Is there a person I can talk to?
        No, I'd prefer a human
        I can't find it. I want to speak to a person.
        You don't understand me, can I talk to someone else?
        customer service
        Can you put a human on the phone?
        I'd rather speak to a person
        I don't want to talk to a robot, I want a person.
        Can I get a human please?
        Is there someone else I can talk to?
        I want to talk to somebody who can actually help me
        Speak to an agent
        Talk to a human
        Let me talk to a supervisor.
        Can a real person help me?
        Can someone else help me with this?
        Yes, a person please.
        I've been trying to speak to a person for twenty minutes
        I'm not talking to a machine, get me a real human
        Human. Human. Human.
        I want to talk to a person about my order, not to you
        Are there any humans there I could talk to?
        Do you have anyone I can speak with?
        Can you transfer the call to an agent?
        Enough of this, customer support please
        I need to speak with your supervisor right now
        can i speak with a representative
        i wanna talk to a person
        I need help from a real human
        Is there a human I could speak with
        Let me speak with an actual person please
        I don't get it I want to talk to a person
        just put me through already
        can you get me a manager
        I asked for a human!
        Just connect me to an agent
        hello? operator
        I demand to speak to a manager
        Can I please just talk to somebody?
        Would you transfer me to a representative?
        I'd like a real person to help me
        Get me your supervisor
        I want someone to talk to
        live agent
        speak to representative
        Can I be put through to someone?
        Could you put me on to somebody?
        I'd like to be connected to a human
        Is it possible to talk to a real person?
        I need to speak to someone in charge
        Can I have a word with your manager?
        Just let me talk to a person already
        agent please
        I am asking to speak to a human being
        Please get a person on the line
        Okay, I think I need a human for this
        Can somebody real talk to me?
        I would like to talk with a person instead
        Let me talk to someone else
        I just want a real person
        Hand me over to a colleague
        get me somebody who understands
        Could I speak to the manager please
        I need to talk to a human now
        """,
        """
        I'm only human.
        It was human error
        Are you a human?
        Am I talking to a machine?
        Am I talking to a real person?
        Am I speaking to a person or a computer?
        I don't want to talk to a person.
        I do not need a human, just tell me where it is.
        No need to put me through, thanks
        I don't want a person
        No, I don't need a person
        Yes, I already spoke to a person
        The delivery person left it at the door
        The person who packed it forgot the socks
        I spoke to an agent yesterday
        I talked to someone last week and they said Monday
        Can you talk to someone in the warehouse about it?
        I will come in person
        How much is it per person?
        It's a gift for someone
        I need it for a person who is tall
        somebody stole my parcel
        Could somebody call me back tomorrow at two in the afternoon?
        I'd like someone to call me back on Monday
        My travel agent ordered it
        What are your people doing
        Where is my order?
        I want a jacket for my wife
        Can I do this without talking to a person?
        I hate talking to people
        I'd rather not speak to anyone
        Please don't transfer me again
        Why did they connect me to the wrong department yesterday?
        The money transfer is not through
        My manager needs the invoice
        I need someone's signature for the delivery
        Is the delivery person going to ring?
        You sound like a real person
        The operator of the website is called Northwind, right?
        I was talking to my husband, sorry
        …
        I'm the person who called this morning
        Your agent said it would be here by now
        I don't want you to transfer me
        no I am not a person from the company
        My sister spoke to one of your people
        There's nobody at home
        Is somebody going to be there to sign?
        Could you tell the delivery person to ring twice?
        I manage a shop myself
        I work in customer service too
        Thanks, I don't think I need a person
        It says contact customer service on the box
        do you people ever sleep
        I already talked to a representative
        Do you deliver to a PO box?
        I'm a very patient person
        The agent at the airport lost it
        Is this a person or a machine?
        I had a person over yesterday who broke it
        Human hair wig, that was the name
        I was speaking with your colleague Tom
        The operator cut me off last time
        Somebody else opened the parcel
        I don't feel like talking to anybody
        Which person signed for it?
        Someone rang the bell
        I asked my manager already
        Is there a person named Tom?
        A person would fit twice in it
        I was told by an agent to wait
        """,
    ),
    "de": (
        """
        Ich möchte mit einem Menschen sprechen.
        Kann ich bitte mit einem Mitarbeiter reden?
        Ich will mit jemandem sprechen
        Verbinden Sie mich bitte
        Können Sie mich mit jemandem verbinden?
        einen Menschen, bitte
        Ich möchte einen Menschen sprechen
        Geben Sie mir einen Mitarbeiter
        Kann ich einen Mitarbeiter haben?
        Mitarbeiter
        Ich will einen echten Menschen
        Kann ich Ihren Vorgesetzten sprechen?
        Kundenservice, bitte
        Gibt es da jemanden, mit dem ich reden kann?
        Könnten Sie mich bitte weiterverbinden?
        Ich brauche einen Menschen am Telefon
        Ich will jetzt einen Menschen sprechen
        Ich möchte bitte mit jemandem vom Kundenservice sprechen
        Kann ich mit einem echten Menschen sprechen?
        Geben Sie mir bitte Ihren Chef
        Stellen Sie mich bitte durch
        Kann ich mal mit jemandem reden?
        Ich hätte gern einen Mitarbeiter
        Bitte einen echten Menschen
        Holen Sie mir einen Menschen ans Telefon
        Ich möchte weiterverbunden werden
        Ich würde gern mit einem Menschen sprechen
        Kann ich einen Kollegen sprechen?
        Ich brauche jemanden am Telefon
        """,
        """
        Ich möchte nicht mit einem Menschen sprechen
        Ich bin auch nur ein Mensch
        Das Paket ist für einen Mitarbeiter
        Ich habe gestern mit einem Mitarbeiter gesprochen
        Ich brauche keinen Menschen, danke
        Spreche ich mit einem Menschen?
        Sind Sie ein Mensch?
        Der Mensch von der Post hat geklingelt
        Sie müssen mich nicht verbinden
        Wie ist das mit der Lieferung verbunden?
        Pro Person kostet es zehn Euro
        Kann mich morgen jemand zurückrufen?
        Ich habe heute schon mit Ihrem Kollegen gesprochen
        Der Mitarbeiter war sehr nett
        Niemand hat geklingelt
        Ich rede gerade mit meiner Frau
        Die Mitarbeiterin hat aufgelegt
        Ich warte auf jemanden
        Das war ein netter Mensch
        Jemand hat es angenommen
        """,
    ),
    "es": (
        """
        Quiero hablar con una persona
        ¿Puedo hablar con alguien?
        páseme con un agente
        Necesito un agente
        Me gustaría hablar con un humano
        Quiero que me atienda una persona
        ¿Me puede comunicar con un asesor?
        ¿Me puede pasar con alguien?
        Una persona, por favor
        Operadora
        Prefiero hablar con una persona real
        Quiero hablar con su supervisor
        ¿Hay alguien con quien pueda hablar?
        Quisiera hablar con alguien, por favor
        Deme con un agente
        Quiero una persona real
        Pásame con tu jefe
        Comuníqueme con un representante
        Póngame con una persona
        ¿Puede pasarme con alguien?
        Necesito hablar con un ser humano
        Con un agente, por favor
        Quiero hablar con el encargado
        Me gustaría hablar con una persona
        Quiero un humano
        """,
        """
        No quiero hablar con una persona
        Ayer hablé con una persona
        No necesito un agente, gracias
        ¿Estoy hablando con una persona?
        ¿Es usted una persona?
        La persona que lo entregó no llamó
        Es para una persona alta
        Prefiero no hablar con nadie
        Ya hablé con un agente y me dijo que el lunes
        ¿Me puede llamar alguien mañana?
        Es un regalo para alguien
        Hablé con alguien ayer
        La persona que atendió fue amable
        No hay nadie en casa
        La persona no estaba
        Era para otra persona
        Alguien lo recibió
        """,
    ),
    "fr": (
        """
        Je voudrais parler à quelqu'un
        Je veux parler à un conseiller
        passez-moi un responsable
        Je veux parler à un être humain
        Un conseiller, s'il vous plaît
        Est-ce que je peux avoir quelqu'un au téléphone ?
        Je peux avoir un conseiller ?
        Je préfère parler à une vraie personne
        Mettez-moi en relation avec un agent
        Pouvez-vous me passer quelqu'un ?
        Je voudrais parler avec votre responsable
        Service client
        Je souhaite parler à un agent
        Est-ce que je pourrais parler à quelqu'un ?
        Transférez-moi à un conseiller
        Je voudrais un vrai conseiller
        Passez-moi votre supérieur
        J'aimerais parler à une personne
        Je veux quelqu'un
        Vous pouvez me passer un conseiller ?
        Un humain s'il vous plaît
        Je voudrais être mis en relation avec un agent
        Pouvez-vous me transférer à quelqu'un ?
        Je veux un humain
        """,
        """
        Je ne veux pas parler à quelqu'un
        J'ai parlé à un conseiller hier
        Je n'ai pas besoin d'un conseiller
        Est-ce que je parle à une vraie personne ?
        Est-ce que vous êtes une personne ?
        C'est pour quelqu'un de grand
        Personne n'est venu livrer
        La personne qui a livré n'a pas sonné
        Quelqu'un peut me rappeler demain ?
        C'est combien par personne ?
        Je préfère ne parler à personne
        J'ai déjà parlé avec votre conseiller
        Il n'y a personne à la maison
        C'est pour une autre personne
        Un agent a sonné
        Cette personne n'habite plus ici
        Quelqu'un l'a pris
        """,
    ),
    "it": (
        """
        Vorrei parlare con una persona
        posso parlare con un operatore
        Mi passi un operatore
        Voglio parlare con un essere umano
        Operatore
        Una persona, per favore
        Mi può passare qualcuno?
        C'è qualcuno con cui posso parlare?
        Voglio un operatore
        Preferisco parlare con una persona vera
        Posso parlare con il responsabile?
        Mi metta in contatto con il servizio clienti
        Mi faccia parlare con qualcuno
        Vorrei un operatore per favore
        Può passarmi un operatore?
        Mi trasferisca a un operatore
        Voglio parlare con un umano
        Posso avere un operatore?
        Ho bisogno di parlare con una persona
        Mi passa un operatore?
        Un essere umano, per favore
        Voglio parlare con qualcuno
        Vorrei parlare con un responsabile
        Mi può passare un operatore?
        """,
        """
        Non voglio parlare con una persona
        Ho già parlato con un operatore
        Non ho bisogno di un operatore
        Sto parlando con una persona?
        Lei è una persona?
        È un regalo per qualcuno
        La persona che ha consegnato non ha suonato
        Qualcuno mi può richiamare domani?
        Quanto costa a persona?
        Preferisco non parlare con nessuno
        Sono solo un essere umano
        Ho parlato con qualcuno ieri
        Non c'è nessuno a casa
        La persona alla cassa era gentile
        Una persona ha firmato
        Era per un'altra persona
        Qualcuno lo ha preso
        """,
    ),
    "pt": (
        """
        Quero falar com um atendente
        queria falar com alguém
        Me passa para um atendente
        Posso falar com uma pessoa de verdade?
        Preciso de um atendente
        Atendente
        Uma pessoa, por favor
        Pode me transferir para alguém?
        Quero ser atendido por uma pessoa
        Tem alguém com quem eu possa falar?
        Prefiro falar com um ser humano
        Eu quero falar com o gerente
        Eu quero falar com uma pessoa
        Me transfere para um humano
        Gostaria de falar com um atendente, por favor
        Posso falar com alguém?
        Quero um atendente humano
        Preciso falar com uma pessoa
        Me passa pra um atendente
        Quero uma pessoa de verdade
        Dá pra falar com alguém?
        Atendente, por favor
        Quero falar com um humano
        Pode me passar para alguém?
        """,
        """
        Não quero falar com alguém
        Já falei com um atendente ontem
        Não preciso de um atendente
        Estou falando com uma pessoa?
        Você é uma pessoa?
        É um presente para alguém
        A pessoa que entregou não tocou a campainha
        Alguém pode me ligar amanhã?
        Quanto custa por pessoa?
        Prefiro não falar com ninguém
        Sou apenas humano
        Falei com alguém ontem
        Não tem ninguém em casa
        É para outra pessoa
        Uma pessoa assinou
        O atendente desligou
        Alguém recebeu
        """,
    ),
}
# Language → anger at us, and words that only look like it. Grief and trouble that are not our doing are none.
UPSET: Table = {
    "en": (
        """
        I will never order from you again
        This is ridiculous!
        I've had enough.
        I have had it with you people
        You're useless.
        Are you stupid?
        This is a joke
        What is wrong with you?
        This is unacceptable
        I'm so angry right now
        I am really upset about this
        Worst customer service ever.
        You people are unbelievable
        Oh for God's sake
        What the hell is going on
        This is bullshit
        I'm sick of this
        I'm fed up with waiting
        You are wasting my time
        For the last time, where is my order?
        How many times do I have to tell you?
        Shut up!
        Are you kidding me?
        I'm getting really frustrated
        This is driving me crazy
        I am losing my patience
        This is outrageous, I want my money back
        Stupid machine
        You're a bloody idiot
        I'm pissed off
        Stop it, just stop talking
        This is absolutely terrible service
        Damn it
        Forget it, this is pointless
        I'm upset that my order is late again
        this is so frustrating
        I am extremely disappointed with your service
        you guys are the worst
        What a joke
        I can't believe this
        This is the third time I'm calling about this
        I'm really annoyed
        I'm not happy with this at all
        That's just ridiculous
        Oh my god, you are so stupid
        I'm done with you
        You are a waste of time
        Just answer the damn question
        This is a total disaster
        I hate this
        I've been waiting for weeks, this is unacceptable
        You keep telling me the same thing, it's infuriating
        I want my money back, you thieves
        God, you're annoying
        This is absolutely disgusting
        I'm seriously annoyed
        No one ever helps me, I'm fed up
        Why is this so hard? This is stupid
        You're not helping at all
        I've never had such bad service
        Enough!
        I am so done with this
        Are you serious?
        This is the worst company I have ever dealt with
        For crying out loud
        This is unbelievable
        I'm really mad now
        You're driving me nuts
        I have never been treated like this
        That is totally unacceptable
        This is such a waste of time
        I'm very frustrated with this
        Stupid robot
        Oh come on, that's ridiculous
        """,
        """
        I'm not angry
        I'm not angry, I just want to know.
        That's not bad
        I'm upset that my dog chewed the jacket
        Would it be ridiculous to order two?
        I've had enough time to think about it
        I think I have enough socks
        It's not ridiculous at all, thank you
        The colour is terrible on me, so I would like to return it
        My son is angry with me because it is late
        This is great
        Is that a joke gift or a real one?
        No problem
        It's fine, don't worry
        What is wrong with my order?
        I'm sick, I have a cold
        I'm in hell of a hurry, sorry, can we be quick?
        Sorry, I was frustrated earlier
        I'm wasting paper printing this
        It's the worst, no wait, the best jacket I own
        Could you stop the delivery?
        Forget the second one, just the jacket
        I'm crazy about that jacket
        How many times was it delivered?
        The stupid zip broke
        Do you sell Angry Birds shirts?
        I hope you're not upset
        I'm happy with it
        that's not a problem at all
        My kids are driving me crazy, one second
        I'm afraid I lost the number
        I hate to bother you
        It was a joke
        Sorry, this is silly of me
        what a lovely voice
        I'm a little worried about the delivery
        I can't wait, it's so nice
        The worst that can happen is that it rains
        Damn, that was quick
        I'm mad about this colour, I love it
        Isn't it ridiculous how warm it is today?
        Oh shoot, I dropped my pen
        I'm a bit confused
        It was awful weather
        I've been waiting for you to open
        The joke is on me
        I'm serious, it fits well
        I'm done, thank you
        That's enough, thanks
        I feel terrible that I forgot to call
        Sorry for being so slow
        My boss is furious with the post office
        I was so annoyed with myself
        It's a mess here, one second
        Stop by the shop? Sure
        I'm not upset at all
        Never mind the worst case
        It's a bit annoying to assemble, is there a manual?
        That's great, thanks
        I'm very happy
        I'm not mad, just curious
        It isn't a joke
        No, this is fine
        """,
    ),
    "de": (
        """
        Das ist doch lächerlich!
        Mir reicht's jetzt
        Das ist eine Frechheit
        Ich habe die Nase voll
        Sind Sie blöd oder was?
        Das ist unverschämt
        Ich bin stinksauer
        Verdammt noch mal
        So eine Scheiße
        Wollen Sie mich verarschen?
        Das darf doch nicht wahr sein
        Ich werde langsam wütend
        Das ist ja wohl ein Witz
        Ich bin echt sauer
        Das ist doch Mist
        Das nervt
        Unverschämtheit
        Ich habe es satt
        Jetzt werde ich aber sauer
        Was für ein Saftladen
        So eine Unverschämtheit
        Ihr seid doch alle unfähig
        Das ist eine Unverschämtheit
        Ich bin wirklich genervt
        Das ist unglaublich
        """,
        """
        Ich bin nicht wütend
        Das ist gar nicht schlecht
        Das ist nicht schlimm
        Das reicht mir, danke
        Mein Mann ist sauer auf mich
        Eine Jacke reicht
        Kein Problem
        Die Milch ist sauer
        Ich habe eine verstopfte Nase
        Das Paket ist voll
        Ich bin nicht sauer
        Das ist kein Witz
        Das macht nichts
        Schade
        Ich ärgere mich über mich selbst
        Ich bin satt, wir haben gegessen
        Das ist nicht lächerlich
        Ich bin müde
        Mein Chef ist sauer
        Das ist unglaublich gut
        Ich bin nicht genervt
        """,
    ),
    "es": (
        """
        ¿Cuántas veces tengo que decirlo?
        Por última vez, ¿dónde está?
        ¡Esto es ridículo!
        Ya estoy harto
        Estoy harta de esperar
        Qué vergüenza de servicio
        Es usted un inútil
        Esto es una tomadura de pelo
        Estoy muy enojado
        Esto es inaceptable
        No sirve para nada
        ¡Qué mierda!
        Me está haciendo perder el tiempo
        Esto es una vergüenza
        Estoy furioso
        Es indignante
        No puede ser, qué desastre
        Qué pésimo servicio
        Estoy harto de ustedes
        Esto es un desastre
        Qué falta de respeto
        Me tienen harta
        Son unos incompetentes
        Estoy muy enfadada
        """,
        """
        No estoy enojado
        No está mal
        No hay problema
        Mi hijo está enojado conmigo
        Me da vergüenza preguntar
        El cierre no cierra
        Tengo tiempo que perder, no se preocupe
        Es un regalo de broma
        Con eso basta, gracias
        No es ridículo
        No estoy furioso
        Qué bueno
        No pasa nada
        Es una lástima
        Estoy cansado hoy
        No es un desastre
        Estoy contento
        No es inaceptable
        """,
    ),
    "fr": (
        """
        C'est ridicule !
        J'en ai marre
        J'en ai assez
        C'est n'importe quoi
        Vous vous moquez de moi ?
        C'est inadmissible
        Je suis très en colère
        Vous êtes nul
        Putain, ça ne marche pas
        Vous me faites perdre mon temps
        J'en ai ras le bol
        C'est honteux
        C'est vraiment n'importe quoi
        Je suis furieux
        C'est inacceptable
        Vous êtes incompétents
        Ça m'énerve
        C'est une honte
        Je suis vraiment énervé
        Vous êtes vraiment nuls
        C'est scandaleux
        J'en peux plus
        C'est insupportable
        J'en ai vraiment marre
        """,
        """
        Je ne suis pas en colère
        Ce n'est pas mal
        Pas de problème
        Ce n'est pas grave
        J'en ai assez pris, deux suffisent
        Mon mari est en colère contre moi
        Le solde est nul, c'est bien ça ?
        C'est pas ridicule du tout
        Je n'ai pas de temps à perdre aujourd'hui, je suis pressé
        N'importe quelle couleur me va
        Je ne suis pas furieux
        Ce n'est rien
        C'est dommage
        Pas grave
        Je suis fatigué
        Ce n'est pas une honte
        Je ne suis pas fâché
        """,
    ),
    "it": (
        """
        Quante volte devo ripeterlo?
        Mi state facendo perdere tempo
        È una perdita di tempo
        È ridicolo!
        Ne ho abbastanza
        Sono stufo di aspettare
        È una vergogna
        Mi sta prendendo in giro?
        È inaccettabile
        Sono arrabbiato
        Non serve a niente
        Lei è un incapace
        Basta, non ne posso più
        Che schifo di servizio
        È una presa in giro
        Sono furioso
        Siete incompetenti
        È inammissibile
        Sono molto arrabbiata
        Sono proprio stufa
        È uno scandalo
        Che vergogna
        Siete degli incompetenti
        Non è possibile, è assurdo
        È assurdo
        Sono furiosa
        """,
        """
        Non sono arrabbiato
        Non è male
        Nessun problema
        Basta così, grazie
        Mia moglie è arrabbiata con me
        Ne ho due, bastano
        Mi vergogno un po' a chiedere
        Vorrei fare un giro nel negozio
        Non è ridicolo
        Ne ho abbastanza di magliette, vorrei una giacca
        Non sono furioso
        Non fa niente
        Che peccato
        Non importa
        Sono stanco oggi
        Non è assurdo
        Non è assurdo, capisco
        """,
    ),
    "pt": (
        """
        Quantas vezes eu tenho que repetir?
        Estão me fazendo perder meu tempo
        Pela última vez, onde está?
        Isso é ridículo!
        Já chega, estou farto
        Estou de saco cheio
        Isso é um absurdo
        Que palhaçada
        Você está de brincadeira comigo?
        Estou muito irritado
        Isso é inaceitável
        Você é um inútil
        Que merda de atendimento
        Não aguento mais
        Isso é uma vergonha
        Estou furiosa
        Que absurdo
        Vocês são incompetentes
        Isso é inadmissível
        Estou muito bravo
        Isso é um desrespeito
        Que falta de respeito
        Vocês são uns incompetentes
        Cansei disso
        Isso é um absurdo total
        Estou irritada
        """,
        """
        Não estou irritado
        Não é ruim
        Sem problema
        Quando chega o pedido?
        Meu marido está bravo comigo
        O saco veio cheio
        É uma brincadeira de criança
        Já chega, obrigado, só isso
        Não é nada absurdo
        Tenho vergonha de perguntar
        Não estou furiosa
        Não faz mal
        Que pena
        Não tem importância
        Estou cansado hoje
        Não é um desrespeito
        Não estou brava
        """,
    ),
}
# Language → the agent took the caller wrongly, and words that only sound so.
MISUNDERSTOOD: Table = {
    "en": (
        """
        That's not what I said.
        No, I said four seven one nine two
        You don't understand me
        What? No, the other order!
        You misunderstood me
        That's not what I asked
        That is not what I meant
        No no no, I meant the blue one
        I didn't say that
        You're not listening to me
        You got that wrong
        I never said cancel
        That wasn't my question
        No, not that one, the other one
        No, that's the wrong order
        You are not understanding me
        I already told you that
        Wrong number, I said nine, not five
        I didn't ask for that
        You heard me wrong
        You keep getting it wrong
        No, that's not my order number
        That's not right, it's Ada, A D A
        I just told you my order number
        You're not answering my question
        No, I mean the jacket
        That's not what I'm asking
        You're not understanding
        I said Tuesday, not Thursday
        no no I said four
        That is not my name
        You got my name wrong
        I didn't say cancel it
        No, wrong one
        no, not the jacket
        You're not hearing me
        I wasn't asking about that
        that's not the order I mean
        Listen, I said the blue one
        You misunderstand
        No no, the other one
        I meant the second order
        You didn't get what I said
        Not the jacket, the trousers!
        That's wrong, it's four seven
        No, that isn't right
        I think you misunderstood
        I said cancel, not return
        You've got the wrong order
        You're talking about the wrong one
        I'm not talking about that order
        Did you even hear what I said? I said no
        No, I'm asking about the refund
        That's not it
        I told you already
        I didn't mean that
        No, I said the red one
        That's not what I mean
        You misheard me
        No, my number ends in nine, not five
        You're not listening
        No, that's not it
        I said Ada, not Anna
        You don't get it
        That's the wrong order
        """,
        """
        That's what I said, yes
        I don't understand
        Sorry, I didn't understand you
        They sent the wrong order
        The wrong size arrived
        I said it to my wife
        No, that's all, thank you
        No, thanks
        Could you repeat that?
        What did you say?
        You understood me correctly
        I meant to call yesterday
        Is there another order?
        I'd like the other one as well
        No problem
        The driver didn't listen to me
        He told me it would come on Monday
        You already told me that, thank you
        Not really
        I said yes
        That's right
        What's wrong with my order?
        Did you understand me?
        It's not what I ordered
        There is something wrong with the zip
        My other order is fine
        Sorry, what was that?
        I didn't get the parcel
        You're right
        I don't know what you mean
        I meant to ask, do you have it in blue?
        No, it hasn't arrived
        No, I haven't got it
        Did I say that right?
        I was not at home
        They told me something else
        I never got a confirmation
        I didn't say goodbye, sorry
        No, my name is Ada
        I said hello
        You don't have it in blue?
        You didn't send me the invoice
        No, I don't have another order
        I think I understand
        I told my husband to call you
        It's the wrong colour
        I didn't hear the bell
        No, it's for me
        Not the first time I order here
        You said Monday, right?
        They got my address wrong on the label
        I never received it
        That's it, thank you
        No, I'm asking for a friend
        I haven't said my number yet
        You have the right order
        No, that's fine
        I didn't order that
        No, I did not get an e-mail
        It is not the red one
        You said it is late
        I got the wrong one
        I don't get e-mails
        """,
    ),
    "de": (
        """
        Das habe ich nicht gesagt
        Nein, ich habe vier sieben gesagt
        Sie verstehen mich nicht
        Sie haben mich falsch verstanden
        Das meinte ich nicht
        Nein, die andere Bestellung
        Danach habe ich nicht gefragt
        Sie hören mir nicht zu
        Das habe ich Ihnen doch schon gesagt
        Nein, ich meinte die blaue Jacke
        Nein, nicht die
        Ich habe fünf gesagt, nicht vier
        Sie haben das falsch verstanden
        Nein, das ist falsch
        Ich meinte was anderes
        Nein, das habe ich nicht gemeint
        Sie verstehen mich falsch
        Das stimmt nicht, es ist die neun
        Ich habe gesagt stornieren, nicht umtauschen
        Nein, ich frage nach der Rückgabe
        Das habe ich so nicht gesagt
        Nein, ich meine die andere
        Sie haben mich missverstanden
        """,
        """
        Ich verstehe nicht
        Ich habe Sie nicht verstanden
        Das habe ich gesagt, genau
        Ich habe die falsche Größe bekommen
        Nein, danke
        Sie haben mich richtig verstanden
        Das ist nicht das, was ich bestellt habe
        Haben Sie mich verstanden?
        Was haben Sie gesagt?
        Kann ich die andere Bestellung auch stornieren?
        Nein, ich habe es nicht bekommen
        Ich habe nichts gehört
        Nein, noch nicht
        Nein, das war alles
        Nein, es ist ein Geschenk
        Das stimmt
        Ich verstehe
        Ich habe gesagt, dass es gut ist
        Das habe ich gesagt
        Nein, gestern
        """,
    ),
    "es": (
        """
        Eso no es lo que dije
        No, dije cuatro siete
        No me entiende
        Me ha entendido mal
        No me refería a eso
        No, el otro pedido
        Yo no dije eso
        No me está escuchando
        Ya se lo dije
        Eso no es lo que pregunté
        No, eso no
        Le dije cinco, no cuatro
        No entendió lo que dije
        No quise decir eso
        No, me refiero al otro
        No, no es eso
        No es ese pedido
        Usted no me entiende
        Me entendió mal
        Ya le dije eso
        No dije eso
        No me está entendiendo
        """,
        """
        No entiendo
        No le he entendido
        Eso es lo que dije
        Me llegó la talla equivocada
        No, gracias
        Me ha entendido bien
        ¿Qué dijo?
        ¿Me entiende?
        También quiero el otro pedido
        No es lo que pedí, llegó otra chaqueta
        No, no ha llegado
        No, eso es todo
        No lo recibí
        No, es un regalo
        Es eso
        Entiendo
        No pedí eso
        """,
    ),
    "fr": (
        """
        Ce n'est pas ce que j'ai dit
        Non, j'ai dit quatre sept
        Vous ne me comprenez pas
        Vous m'avez mal compris
        Ce n'est pas ce que je voulais dire
        Non, l'autre commande
        Je n'ai pas dit ça
        Vous ne m'écoutez pas
        Je vous l'ai déjà dit
        C'est pas ma question
        Vous avez mal compris
        Non, pas celle-là
        J'ai dit cinq, pas quatre
        Non, ce n'est pas ça
        Je ne parlais pas de ça
        Non, ce n'est pas cette commande
        Vous ne comprenez pas
        Je vous ai dit le contraire
        J'ai dit annuler, pas échanger
        Non, pas ça
        Vous m'avez pas compris
        """,
        """
        Je ne comprends pas
        Je ne vous ai pas compris
        C'est ce que j'ai dit
        J'ai reçu la mauvaise taille
        Non merci
        Vous m'avez bien compris
        Qu'est-ce que vous avez dit ?
        Vous me comprenez ?
        Je veux aussi l'autre commande
        Ce n'est pas ce que j'ai commandé
        Non, il n'est pas arrivé
        Non, c'est tout
        Je n'ai rien reçu
        Non, c'est un cadeau
        C'est ça
        Je comprends
        Je n'ai pas commandé ça
        """,
    ),
    "it": (
        """
        Non è quello che ho detto
        No, ho detto quattro sette
        Non mi capisce
        Ha capito male
        Non intendevo questo
        No, l'altro ordine
        Non ho detto questo
        Non mi sta ascoltando
        Gliel'ho già detto
        Non è quello che ho chiesto
        No, non quello
        Ho detto cinque, non quattro
        Mi ha frainteso
        No, intendo l'altro
        Non parlavo di quello
        No, non è questo
        Lei non mi capisce
        Ha frainteso
        Ho detto annullare, non cambiare
        Gliel'ho appena detto
        Non ho detto così
        Non mi ha capito
        """,
        """
        Non capisco
        Non ho capito
        È quello che ho detto
        Mi è arrivata la taglia sbagliata
        No grazie
        Ha capito bene
        Che cosa ha detto?
        Mi capisce?
        Vorrei anche l'altro ordine
        Non è quello che ho ordinato
        No, non è arrivato
        No, è tutto
        Non ho ricevuto niente
        No, è un regalo
        È questo
        Capisco
        Non ho ordinato questo
        """,
    ),
    "pt": (
        """
        Não foi isso que eu disse
        Não, eu disse quatro sete
        Você não me entende
        Você entendeu errado
        Não era isso que eu queria dizer
        Não, o outro pedido
        Eu não disse isso
        Você não está me ouvindo
        Eu já te disse isso
        Não foi isso que eu perguntei
        Não, não é isso
        Eu disse cinco, não quatro
        Você não entendeu o que eu disse
        Não é isso que eu quero
        Não, estou falando do outro
        Não é esse pedido
        Você não está entendendo
        Eu já falei isso
        Não foi o que eu disse
        Eu falei cancelar, não trocar
        Eu não falei isso
        Você me entendeu mal
        """,
        """
        Não entendi
        Eu não entendo
        Foi isso que eu disse
        Veio o tamanho errado
        Não, obrigado
        Você entendeu certo
        O que você disse?
        Você me entende?
        Quero também o outro pedido
        Não foi isso que eu comprei
        Não, não chegou
        Não, só isso
        Não recebi nada
        Não, é um presente
        É esse pedido
        Entendi
        Eu não pedi isso
        """,
    ),
}
# Answers to "Would you like me to put you through to a person?", and what is none or the other one.
AGREES: Table = {
    "en": (
        """
        Yes.
        Yes, please.
        yeah
        Yep, go ahead.
        Sure.
        Okay
        OK then, thank you
        That would be great
        Please do.
        Yes, I would.
        I'd like that
        All right, do that
        Sure, why not
        Absolutely
        Of course
        Uh-huh
        Mm-hmm, yes
        Yes, put me through
        Put me through, please
        Well, yes, I think so
        Yes, that would be better.
        Please.
        Sure, no problem
        Fine
        Yes, yes, yes
        Um, okay, yeah, please
        Yes, a person please
        I would, thank you
        Definitely
        Sounds good
        Yes I want to speak to someone
        I guess so
        yes thank you
        yeah sure
        Oh yes please
        okay, do that
        Yes, that's fine
        That'd be nice
        Yeah, I'd appreciate that
        yeah ok
        If you could, please
        Yes, connect me
        Sure, go ahead
        I'd like that very much
        Mhm
        Right, yes please
        Yeah, let's do that
        Of course, thank you
        Sure sure
        It would be better, yes
        Yes, I would like that
        Yes yes please
        ok yes
        Yeah, why not
        yes, thanks a lot
        Alright then
        please, yes
        That would help
        Yes, do that please
        okay great
        Sure, thanks
        Yes, right away please
        Yep
        Yes if possible
        I'd be happy with that
        Yes of course
        Do it
        Oh that would be lovely, thank you
        Yes, please, right now
        Yes, good
        Yeah, okay then
        Sure, that's fine
        I'd love that
        Great, yes
        Please, go ahead
        Yes, thank you so much
        """,
        """
        No.
        No thanks
        Not yet
        I'm not sure
        Yes, I already spoke to a person
        Yes, but first tell me where my order is
        Yesterday I called you
        Okay, but not now
        Sure you can't help me?
        What do you mean?
        Maybe later
        I'm fine
        It's okay, I'm good
        That's okay, no need
        Okay so where is my order?
        What does a person do better?
        Are you sure?
        My order is fine
        Please tell me where my order is
        Right, my number is four seven one nine two
        Yes or no, where is it?
        I don't think so
        Please don't
        Why?
        I'd rather not
        No, thank you, that's fine
        Thank you
        The jacket looks good
        Yes, I can hear you
        Okay, let's try again
        no
        yes well where is my order then
        yes what
        I'm okay
        okay bye
        sure is late
        please hurry up and tell me
        is it fine
        Good question
        all right what about my refund
        What?
        Hello?
        I don't want that
        One moment
        nah I'm good
        yes but no
        no yes wait
        Fine, but where is it
        Can you do it?
        Would it cost anything?
        I don't care
        How long would that take?
        I'm good
        okay wait
        sure, in a minute
        Hm
        Who is there?
        I agree that it is late
        Good, then cancel it
        Yes, it is late
        Not okay
        Yes, but later
        Okay, what now?
        Please wait
        """,
    ),
    "de": (
        """
        Ja.
        Ja, bitte
        Gerne
        Okay
        Das wäre nett
        Ja, machen Sie das
        Ja, gern, danke
        Von mir aus
        Natürlich
        Ja, verbinden Sie mich
        Klar, bitte
        Ich bitte darum
        Mhm, ja
        ja gerne
        Ja, das wäre gut
        Okay, danke
        Jo
        Ja klar
        ja, das wäre super
        Ja ok
        Gerne, danke
        ja, unbedingt
        Okay, machen Sie das
        ja genau
        Ja, das wäre toll
        """,
        """
        Nein
        Nein, danke
        Noch nicht
        Ja, aber erst will ich wissen, wo mein Paket ist
        Ja, ich habe schon mit jemandem gesprochen
        Ich weiß nicht
        Lieber nicht
        Warum?
        Bitte sagen Sie mir, wo mein Paket ist
        Alles klar, und wo ist mein Paket?
        Danke
        Ja und?
        Ja, wo ist denn mein Paket?
        Vielleicht
        Ja, aber nicht jetzt
        Wie lange dauert das?
        Egal
        Ja, später
        """,
    ),
    "es": (
        """
        Sí.
        Sí, por favor
        Claro
        Está bien
        De acuerdo
        Bueno, sí
        Me gustaría, gracias
        Por favor
        Vale
        Sí, páseme con alguien
        Claro que sí
        Adelante
        sí, claro
        Bueno, está bien
        Sí, gracias
        Ok
        Por supuesto, gracias
        sí, está bien
        Claro, gracias
        Sí sí
        Dale
        Me parece bien
        Sí, adelante
        Sí, me gustaría
        """,
        """
        No
        No, gracias
        Todavía no
        Sí, pero primero dígame dónde está
        Sí, ya hablé con una persona
        No sé
        No está bien
        ¿Por qué?
        Si me dice dónde está, espero
        Por favor, dígame dónde está mi pedido
        Gracias
        ¿Sí?, ¿quién?
        no sé si quiero
        Sí, pero no ahora
        No importa
        Sí, mañana
        """,
    ),
    "fr": (
        """
        Oui.
        Oui, s'il vous plaît
        D'accord
        Je veux bien
        Bien sûr
        Volontiers
        Oui, merci
        Avec plaisir
        Ouais, allez-y
        Oui, passez-moi quelqu'un
        Pourquoi pas
        S'il vous plaît
        oui d'accord
        Oui je veux bien
        Ok merci
        Oui, bien sûr
        Ça marche
        oui oui
        Oui, ça serait bien
        D'accord, merci
        Allez-y
        Oui, volontiers
        Oui, pourquoi pas
        """,
        """
        Non
        Non merci
        Pas encore
        Oui, mais dites-moi d'abord où est ma commande
        Oui, j'ai déjà parlé à quelqu'un
        Je ne sais pas
        Pourquoi ?
        Pas d'accord
        Bien sûr que non
        S'il vous plaît, où est ma commande ?
        Merci
        Oui mais non
        Oui, mais pas maintenant
        Ça dépend
        Oui, demain
        """,
    ),
    "it": (
        """
        Sì.
        Sì, per favore
        Certo
        Va bene
        D'accordo
        Volentieri
        Sì, grazie
        Mi farebbe piacere
        Sì, mi passi qualcuno
        Magari, sì
        Ok, perfetto
        Certo che sì
        sì va bene
        Sì, certo
        Ok, grazie
        Volentieri, grazie
        Sì, mi farebbe piacere
        sì sì
        Va bene, grazie
        Certo, grazie
        Sì, volentieri
        Sì, d'accordo
        Sì, va bene, grazie
        """,
        """
        No
        No, grazie
        Non ancora
        Sì, ma prima mi dica dov'è il mio ordine
        Sì, ho già parlato con una persona
        Non lo so
        Non va bene
        Perché?
        Certo che no
        Per favore, mi dica dov'è
        Grazie
        Forse
        Sì, ma non adesso
        Dipende
        Sì, domani
        """,
    ),
    "pt": (
        """
        Sim.
        Sim, por favor
        Claro
        Está bem
        Pode ser
        Quero sim
        Tudo bem, obrigado
        Com certeza
        Pode transferir
        Isso, por favor
        Tá bom
        Sim, quero falar com alguém
        sim, claro
        Pode sim
        Tá
        Sim, obrigada
        Ok, pode ser
        sim sim
        Claro, obrigado
        Está bem, pode ser
        Pode passar
        Sim, pode
        Sim, com certeza
        """,
        """
        Não
        Não, obrigado
        Ainda não
        Sim, mas primeiro me diga onde está
        Sim, já falei com uma pessoa
        Não sei
        Claro que não
        Por quê?
        Não está bem
        Por favor, onde está o meu pedido?
        Obrigado
        Talvez
        Não quero
        Sim, mas agora não
        Tanto faz
        Sim, amanhã
        """,
    ),
}
DECLINES: Table = {
    "en": (
        """
        No.
        No, thanks
        no thank you
        Nope
        Not yet
        Not now, please
        No need
        I'd rather not
        No, I don't need a person
        That's okay, no need
        I'm fine, thanks
        It's okay, I'm good
        Maybe later
        Not right now
        No, just tell me where my order is
        No, that's all right
        Please don't
        I don't think so
        Never mind
        No no, let's try again
        No, I can do it with you
        Don't bother
        That won't be necessary
        I don't want a person
        Nah
        Okay, but not now
        no not really
        no I'm good
        Nah, it's fine
        I'm okay, thank you
        No that's okay
        nope thanks
        Not at the moment
        not really
        I don't need that
        I'd prefer to stay with you
        no, let's continue
        Uh, no
        I want to keep talking to you
        No, go on
        Let's carry on
        It's fine, thanks
        not necessary
        Thanks, but no
        no, don't
        No thank you very much
        Not today
        Absolutely not
        no, please continue
        Nope, I'm fine
        No, it's okay
        I'll pass
        Certainly not
        No, wait, let's try once more
        I'd rather continue with you
        There's no need
        Not necessary, thanks
        no no no
        Don't transfer me
        Of course not
        No, not now
        No, forget it
        No thanks, I'm good
        I don't need a person
        No. Just cancel it.
        Not just yet
        Maybe another time
        No, I'd rather not
        """,
        """
        Yes
        Yes, please
        No problem
        No problem, put me through
        Why not
        Not bad
        I'm not sure
        No, I want a person
        No wonder it is late
        No idea
        I don't know
        Know what, yes
        Yes, I never got it
        Sure
        Nobody came
        What do you mean?
        Not only that, it was broken too
        Can you say that again?
        No doubt, yes please
        The number is four seven one nine two
        Where is my order?
        No, you are useless, get me a human
        I have no order number
        Noah is my name
        yes
        okay
        sure
        no way, really? yes please
        I have no idea
        there's no tracking
        not sure
        what
        Hmm
        the order is not here
        now please
        I know
        Yes, no problem
        is there no other way?
        Not a bad idea
        Absolutely
        Certainly
        Of course
        Not sure what you mean
        No one told me
        Nothing arrived
        I do not know
        Yes, don't worry
        No more questions, yes do it
        Need you ask? Yes
        Later it came back
        Now
        Not sure yet what it was
        I got no answer
        Yes, now
        Nobody
        """,
    ),
    "de": (
        """
        Nein.
        Nein, danke
        Noch nicht
        Lieber nicht
        Nicht nötig
        Nee, lassen Sie mal
        Jetzt nicht
        Das brauche ich nicht
        Nein, sagen Sie mir einfach, wo mein Paket ist
        Ne, danke
        Vielleicht später
        nein, schon gut
        Nein, ist nicht nötig
        Im Moment nicht
        Nein nein
        Danke, nein
        nein, bitte nicht
        Auf keinen Fall
        Nein, alles gut
        Nein, weiter
        Muss nicht sein
        Nein, brauche ich nicht
        Nein, jetzt nicht
        """,
        """
        Ja
        Ja, bitte
        Kein Problem
        Warum nicht
        Ich weiß nicht
        Nein, ich will mit einem Menschen sprechen
        Nicht schlecht
        Ich bin nicht sicher
        Niemand war da
        Keine Ahnung
        Es ist nicht angekommen
        Weiß nicht
        Auf jeden Fall
        Nichts kam an
        Noch eine Frage
        Nie angekommen
        """,
    ),
    "es": (
        """
        No.
        No, gracias
        Todavía no
        Ahora no
        No hace falta
        No es necesario
        Mejor no
        No, dígame dónde está mi pedido
        Quizás más tarde
        Aún no
        no, está bien así
        Por ahora no
        No, no hace falta
        Prefiero que no
        No, no quiero
        no, así está bien
        No, continúe
        De ninguna manera
        No, espere
        Por el momento no
        No, ahora no
        """,
        """
        Sí
        Sí, por favor
        No hay problema
        ¿Por qué no?
        No sé
        No, quiero hablar con una persona
        No está mal
        No estoy seguro
        Nadie vino
        No tengo el número
        No ha llegado
        Nunca llegó
        No entiendo
        No llegó
        """,
    ),
    "fr": (
        """
        Non.
        Non merci
        Pas encore
        Pas maintenant
        Ce n'est pas la peine
        Pas besoin
        Non, dites-moi juste où est ma commande
        Plus tard peut-être
        Ça ira, merci
        Bien sûr que non
        non, ça va
        Non pas maintenant
        Pas pour le moment
        Non, ce n'est pas nécessaire
        Je préfère pas
        non non
        Non, continuez
        Pas la peine
        Surtout pas
        Non, ça ira
        Non, pas besoin
        Non, c'est bon
        """,
        """
        Oui
        Oui, s'il vous plaît
        Pas de problème
        Pourquoi pas
        Je ne sais pas
        Non, je veux parler à quelqu'un
        Pas mal
        Je ne suis pas sûr
        Personne n'est venu
        Aucune idée
        Il n'est pas arrivé
        Jamais reçu
        Je ne comprends pas
        Pas reçu
        """,
    ),
    "it": (
        """
        No.
        No, grazie
        Non ancora
        Non adesso
        Non serve
        Non è necessario
        Meglio di no
        No, mi dica dov'è il mio ordine
        Magari più tardi
        Certo che no
        no, va bene così
        No, non serve
        Per ora no
        Non c'è bisogno
        Preferisco di no
        no no
        No, continui
        Non importa, continui
        Assolutamente no
        No, lasci stare
        No, non adesso
        No, non voglio
        """,
        """
        Sì
        Sì, per favore
        Nessun problema
        Perché no
        Non lo so
        No, voglio parlare con una persona
        Non male
        Non sono sicuro
        Non è venuto nessuno
        Non ho il numero
        Non è arrivato
        Mai arrivato
        Non capisco
        Non arriva
        """,
    ),
    "pt": (
        """
        Não.
        Não, obrigado
        Ainda não
        Agora não
        Não precisa
        Não é necessário
        Melhor não
        Não, me diga onde está o meu pedido
        Talvez mais tarde
        Claro que não
        não, tudo bem
        Não, não precisa
        Por enquanto não
        Não quero
        Prefiro não
        não não
        Não, continue
        De jeito nenhum
        Agora não, obrigado
        Deixa pra lá
        Não, agora não
        Não, não quero
        """,
        """
        Sim
        Sim, por favor
        Não tem problema
        Por que não?
        Não sei
        Não, quero falar com uma pessoa
        Nada mal
        Não tenho certeza
        Ninguém veio
        Não tenho o número
        Não chegou
        Nunca chegou
        Não entendi
        Não veio
        """,
    ),
}

# Language → refusals to be recorded, and other words about recording.
RECORDING: Table = {
    "en": (
        """
        Please don't record me.
        Don't record this call
        I don't want to be recorded.
        I do not want this call to be recorded.
        I don't want this call recorded
        I don't consent to being recorded.
        I do not agree to the recording
        Stop the recording, please.
        Can you please stop recording?
        Could you turn off the recording?
        Please switch the recording off
        No recording please
        No recording. Where is my order?
        I'd rather not be recorded.
        I would prefer not to be recorded
        I refuse to be recorded.
        I object to being recorded
        Hi, um, I don't want you to record me, and where is my order?
        Can we do this without recording?
        I'd like to opt out of being recorded
        please do not record my voice
        I don't want it to be taped
        """,
        """
        Is this call being recorded?
        Are you recording me?
        Why are you recording this?
        I don't mind being recorded.
        I don't mind if you record this call.
        You don't need to stop recording.
        You can record me, that's fine.
        Did you record my complaint?
        Don't record the wrong address, please.
        You didn't record my order.
        I bought a recording of the concert and it doesn't work.
        I want to return a tape recorder.
        The record player I ordered does not turn on.
        Do you keep records of my orders?
        I don't want the record, I want the CD.
        No.
        Stop talking
        Stop it
        I didn't say stop recording
        No recordings of the concert were in the parcel
        Don't stop recording
        I have no record of that order
        """,
    ),
    "de": (
        """
        Bitte zeichnen Sie mich nicht auf.
        Nehmen Sie das Gespräch bitte nicht auf
        Ich möchte nicht aufgezeichnet werden.
        Ich will nicht, dass das Gespräch aufgezeichnet wird.
        Ich möchte nicht, dass Sie mich aufnehmen.
        Keine Aufzeichnung bitte.
        Stoppen Sie die Aufzeichnung.
        Schalten Sie bitte die Aufnahme aus!
        Können Sie die Aufzeichnung bitte ausschalten?
        Ich widerspreche der Aufzeichnung.
        Ich bin mit der Aufzeichnung nicht einverstanden.
        Dieses Gespräch soll nicht aufgezeichnet werden.
        """,
        """
        Wird das Gespräch aufgezeichnet?
        Ich möchte nicht, dass die Bestellung doppelt aufgenommen wird.
        Sie können das Gespräch gern aufzeichnen.
        Haben Sie meine Bestellung aufgenommen?
        Die Aufnahme auf der CD ist schlecht.
        Mit der Aufzeichnung bin ich einverstanden.
        Warum zeichnen Sie mich auf?
        Nein.
        """,
    ),
    "es": (
        """
        Por favor, no me grabe.
        No quiero que me graben.
        No quiero ser grabada
        No grabe esta llamada
        Pare la grabación, por favor.
        ¿Puede detener la grabación?
        No autorizo la grabación.
        Prefiero sin grabación
        No quiero que esta llamada sea grabada
        """,
        """
        ¿Me están grabando?
        No me importa que me graben.
        Pueden grabar la llamada.
        No es grave.
        Pedí una grabación del concierto.
        No.
        ¿Por qué graban la llamada?
        """,
    ),
    "fr": (
        """
        Ne m'enregistrez pas, s'il vous plaît.
        Je ne veux pas être enregistré.
        Je veux pas être enregistrée
        N'enregistrez pas cet appel
        Arrêtez l'enregistrement.
        Pas d'enregistrement, s'il vous plaît
        Je refuse d'être enregistré
        Je ne souhaite pas que cet appel soit enregistré
        """,
        """
        Est-ce que je suis enregistré ?
        Ça ne me dérange pas d'être enregistré.
        Vous pouvez enregistrer l'appel.
        Vous n'avez pas enregistré ma commande.
        J'ai commandé un enregistrement du concert.
        Non.
        """,
    ),
    "it": (
        """
        Per favore, non mi registri.
        Non voglio essere registrato.
        Non registrate questa chiamata
        Fermi la registrazione, per favore.
        Non acconsento alla registrazione
        Rifiuto la registrazione
        Può spegnere la registrazione?
        Non voglio che la chiamata venga registrata
        """,
        """
        Mi state registrando?
        Potete registrare la chiamata.
        Non mi registri al sito, grazie.
        Non mi avete registrato l'ordine.
        Ho comprato una registrazione del concerto.
        No.
        """,
    ),
    "pt": (
        """
        Por favor, não me grave.
        Não quero ser gravado.
        Não gravem esta ligação
        Pare a gravação, por favor.
        Não autorizo a gravação
        Pode desligar a gravação?
        Não quero que gravem a ligação
        """,
        """
        Está gravando?
        Podem gravar a ligação.
        Não é grave.
        Comprei uma gravação do show.
        Não.
        Vocês gravam as ligações?
        """,
    ),
}

TABLES: dict[str, tuple[Wish, Table]] = {
    "recording": (refuses_recording, RECORDING),
    "person": (asks_for_a_person, PERSON),
    "upset": (is_upset, UPSET),
    "misunderstood": (was_misunderstood, MISUNDERSTOOD),
    "agrees": (agrees, AGREES),
    "declines": (declines, DECLINES),
}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def utterances() -> Iterator[str]:
    for _, table in TABLES.values():
        for said, not_said in table.values():
            yield from lines(said) + lines(not_said)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_callers_say_is_taken_as_they_mean_it(name: str, language: str) -> None:
    wish, table = TABLES[name]
    meant, not_meant = map(lines, table[language])
    missed = [words for words in meant if not wish(words)]
    wrong = [words for words in not_meant if wish(words)]
    found = len(meant) - len(missed)
    print(
        f"{name} {language}: precision {found / (found + len(wrong) or 1):.2f}, recall {found / len(meant):.2f} "
        f"of {len(meant)} that mean it and {len(not_meant)} that do not"
    )
    assert (missed, wrong) == ([], [])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_long_enough_to_tell(name: str) -> None:
    table = TABLES[name][1]
    assert set(table) == set(LANGUAGES)
    for language, sides in table.items():
        for side in map(lines, sides):
            assert len(set(side)) == len(side) >= (12 if language == "en" else 5), language


PLAIN = str.maketrans("àáâãäçèéêëìíîïñòóôõöùúûü", "aaaaaceeeeiiiinooooouuuu")


@pytest.mark.parametrize("name", TABLES)
def test_it_does_not_matter_how_it_is_written_down(name: str) -> None:
    """Loud, with curly apostrophes, without accents, without a full stop: the words are the same."""
    wish, table = TABLES[name]
    for sides in table.values():
        for words, expected in [(words, True) for words in lines(sides[0])] + [(words, False) for words in lines(sides[1])]:
            assert wish(words.upper()) is expected, words
            assert wish(words.replace("'", "’")) is expected, words
            assert wish(words.lower().translate(PLAIN)) is expected, words
            assert wish(f"  {words.rstrip('.!?')} \n") is expected, words


@pytest.mark.parametrize("word", ["no", "non", "não", "wait", "no wait"])
def test_who_says_the_same_word_over_and_over_holds_nobody_up(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "_LONGEST", 10**7)
    assert not was_misunderstood(f"{word} " * 70_000)
    assert was_misunderstood(f"{word} " * 70_000 + "no no, I said Tuesday")


def test_nobody_agrees_and_declines_at_once() -> None:
    assert [words for words in utterances() if agrees(words) and declines(words)] == []


@pytest.mark.parametrize("words", ["", " ", "…", "?!", "4 7 1 9 2", "ada@example.com"])
def test_where_nothing_is_said_nothing_is_wished(words: str) -> None:
    assert not any(wish(words) for wish, _ in TABLES.values())


@pytest.mark.parametrize("words", ["no ", "please yes ", "i am so very really ", "do you not want to speak to a a ", "i said a "])
def test_of_an_endless_monologue_the_end_counts(words: str) -> None:
    """A pattern that takes its time would make every caller wait; read whole, a million words would outlast this test."""
    endless = words * 1_000_000
    for wish, _ in TABLES.values():
        wish(endless)
    assert asks_for_a_person(f"{endless}. I want to talk to a person.")
